package solver_test

import (
	"context"
	"math"
	"os"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/node/solver"
)

func TestZZ(t *testing.T) {
	n := 0
	for c, err := range solver.Comparisons(false) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n > 3 {
			return
		}
		if p := os.Getenv("ZZ_PROF"); p != "" {
			f, _ := os.Create(p + c.Name[:2])
			pprof.StartCPUProfile(f)
			for range 1000 {
				c.Ours(context.Background())
			}
			pprof.StopCPUProfile()
			f.Close()
		}
		best, sum := math.Inf(1), 0.0
		for range 60 {
			s := time.Now()
			c.Ours(context.Background())
			d := float64(time.Since(s).Nanoseconds()) / c.Work
			best = min(best, d)
			sum += d
		}
		their := math.Inf(1)
		for range 15 {
			s := time.Now()
			c.Theirs(context.Background())
			their = min(their, float64(time.Since(s).Nanoseconds())/c.Work)
		}
		t.Logf("%s: best %.2f mean %.2f twin %.2f ratio %.2f", c.Name, best, sum/60, their, their/best)
	}
}
