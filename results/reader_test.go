package results_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

func open(t testing.TB, b *bytes.Buffer) *results.Reader {
	t.Helper()
	r, err := results.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRowsRoundTrip(t *testing.T) {
	s := sampleSchema(t)
	log := []results.ShardRow{{Shard: 1, First: 400, End: 700, Points: 300, Node: "b", Attempts: 2,
		Solver:          "phasegrid 3",
		ArithmeticClass: "amd64-fma", Kernel: "avx2", Started: 5, Finished: 9, Bytes: 12},
		{Shard: 0, End: 400, Node: "a"}}
	out := merge(t, s, sources(t, s, 700, 400), log)

	i := int64(0)
	for got, err := range open(t, out[results.Points]).Points(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if want := normal(samplePoint(i)); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("point %d:\n got %+v\nwant %+v", i, got, want)
		}
		i++
	}
	if i != 700 {
		t.Errorf("%d points", i)
	}

	k := int64(0)
	for got, err := range open(t, out[results.Trajectories]).Trajectories(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if want := sampleTrajectory(k/3, k%3); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("row %d:\n got %+v\nwant %+v", k, got, want)
		}
		k++
	}
	if k != 2100 {
		t.Errorf("%d trajectory rows", k)
	}

	n := 0
	for got, err := range open(t, out[results.Coefficients]).Coefficients(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if got.Point != int64(n/6) || got.Group != int64(n%2) || got.Coefficient != float64(int64(n/6)+int64(n/2%3))/8 {
			t.Fatalf("coefficient row %d: %+v", n, got)
		}
		n++
	}

	var logged []results.ShardRow
	for row, err := range open(t, out[results.Shards]).Shards(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		logged = append(logged, row)
	}
	if len(logged) != 2 || logged[0] != log[1] || logged[1] != log[0] {
		t.Errorf("log %+v", logged)
	}
}

// normal returns a row as it is read back: with nulls for numbers that are not finite, and one line
// of detail.
func normal(p results.PointRow) results.PointRow {
	if p.Status == results.StatusDiverged {
		p.Loss = math.NaN()
	}
	if p.StepsTo90 < 0 {
		p.StepsTo90 = -1
	}
	for i, c := range p.Parameters {
		if c.Null {
			p.Parameters[i] = results.Cell{Null: true}
		}
	}
	if p.Status == results.StatusFailed {
		p.Detail = "svd did not converge at step 3"
	}
	return p
}

func TestReaderProjectsAndKeepsMetadata(t *testing.T) {
	s := sampleSchema(t)
	r := open(t, merge(t, s, sources(t, s, 50, 50), nil)[results.Points])
	if r.Solver() != sweep.BuiltinSolver(3) || r.Table() != results.Points || r.Rows() != 50 {
		t.Errorf("solver %s table %s rows %d", r.Solver(), r.Table(), r.Rows())
	}
	for i, c := range s.Columns(results.Points) {
		if r.Columns()[i] != c {
			t.Errorf("column %+v; want %+v", r.Columns()[i], c)
		}
	}
	i := int64(0)
	for cells, err := range r.Scan(context.Background(), "status", "anisotropy") {
		if err != nil {
			t.Fatal(err)
		}
		if p := samplePoint(i); cells[0].Text != p.Status || cells[1].Float != p.Parameters[4].Float {
			t.Fatalf("row %d: %+v", i, cells)
		}
		i++
	}
	for _, err := range r.Scan(context.Background(), "nonsense") {
		if err == nil {
			t.Error("no error for an unknown column")
		}
	}
}

func TestCheckFindsIncompleteFiles(t *testing.T) {
	s := sampleSchema(t)
	var b bytes.Buffer
	f, err := s.WriteEmpty(results.Points, &b)
	if err != nil {
		t.Fatal(err)
	}
	if err := results.Check(bytes.NewReader(b.Bytes()), int64(b.Len()), f); err != nil {
		t.Error(err)
	}
	short := f
	short.Rows = 1
	if results.Check(bytes.NewReader(b.Bytes()), int64(b.Len()), short) == nil {
		t.Error("a file with fewer rows passed")
	}
	flipped := bytes.Clone(b.Bytes())
	flipped[len(flipped)/2] ^= 1
	if results.Check(bytes.NewReader(flipped), int64(b.Len()), f) == nil {
		t.Error("a flipped bit passed")
	}
}
