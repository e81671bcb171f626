//go:build duckdb

package views

import (
	"database/sql"
	"math"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
)

// The rank in SQL is the largest k with P(B < k) <= 2.5 %, B binomial of n trials at 1/2.
func TestRankIsTheBinomialOne(t *testing.T) {
	const most = 20_000
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rank := strings.ReplaceAll(metric{"held_90_step", true}.rank(), "count(*)", "n")
	rows, err := db.Query("SELECT n, "+rank+" FROM range(?) AS r(n) ORDER BY n", most+1)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	k, below, exactly := int64(0), 0.0, 1.0 // P(B < k) and P(B = k), of n trials
	for n := int64(0); rows.Next(); n++ {
		var got [2]int64
		if err := rows.Scan(&got[0], &got[1]); err != nil {
			t.Fatal(err)
		}
		for below+exactly <= 0.025 {
			below += exactly
			exactly *= float64(n-k) / float64(k+1)
			k++
		}
		if got != [2]int64{n, k} {
			t.Fatalf("%d values: got rank %d, want %d", got[0], got[1], k)
		}
		// One more trial: P(B < k) loses half of P(B = k - 1), which is k/(n-k+1) of P(B = k).
		before := exactly * float64(k) / float64(n-k+1)
		below -= before / 2
		exactly = (exactly + before) / 2
	}
	if math.Abs(below-0.025) > 0.003 { // rounding has not added up
		t.Errorf("P(B < k) = %v at the end", below)
	}
}
