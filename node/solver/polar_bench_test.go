package solver

import (
	"fmt"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// BenchmarkPolar holds the polar factor against that by gonum's singular values.
func BenchmarkPolar(b *testing.B) {
	for _, n := range []int{128, 256, 512} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			ws := newWorkspace(simd.Best())
			g, p := make([]float64, n*n), make([]float64, n*n)
			newRandom(3, ws).Fill(g)
			fast, svd := newNewton(n, ws), newDecomposition(n, n, ws)
			best, slow := time.Hour, time.Hour
			for b.Loop() {
				start := time.Now()
				if _, ok := fast.polar(p, g); !ok {
					b.Fatal("refused")
				}
				best = min(best, time.Since(start))
				if slow == time.Hour || n < 256 {
					start = time.Now()
					if err := svd.decompose(g); err != nil {
						b.Fatal(err)
					}
					svd.compose(ws, p, func(float64, float64) float64 { return 1 }, svd.s[0], 0)
					slow = min(slow, time.Since(start))
				}
			}
			b.ReportMetric(float64(best.Microseconds())/1000, "ms")
			b.ReportMetric(float64(slow)/float64(best), "SVD-ratio")
		})
	}
}
