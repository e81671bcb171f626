package simd_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/node/solver/simd"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

func matrix(r *rand.Rand, rows, cols int) blas64.General {
	m := blas64.General{Rows: rows, Cols: cols, Stride: cols, Data: make([]float64, rows*cols)}
	for i := range m.Data {
		m.Data[i] = r.NormFloat64()
	}
	return m
}

// BenchmarkGemm runs the best kernel and gonum in turns on one thread: the ratio of their fastest
// rounds does not depend on what else the machine does.
func BenchmarkGemm(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, n := range []int{64, 128, 256, 512, 1024} {
		r := rand.New(rand.NewPCG(1, 2))
		x, y, z := matrix(r, n, n), matrix(r, n, n), matrix(r, n, n)
		m := simd.NewMultiplier(simd.Best())
		b.Run(fmt.Sprintf("n=%d/%v", n, simd.Best()), func(b *testing.B) {
			ours, gonums := time.Hour, time.Hour
			for b.Loop() {
				start := time.Now()
				m.Gemm(blas.NoTrans, blas.NoTrans, 1, x, y, 0, z)
				middle := time.Now()
				blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, x, y, 0, z)
				ours, gonums = min(ours, middle.Sub(start)), min(gonums, time.Since(middle))
			}
			flops := 2 * float64(n) * float64(n) * float64(n)
			b.ReportMetric(flops/float64(ours.Nanoseconds()), "GFLOP/s")
			b.ReportMetric(float64(gonums)/float64(ours), "gonum-ratio")
		})
	}
}

func BenchmarkInvert(b *testing.B) {
	for _, n := range []int{128, 256, 512} {
		r := rand.New(rand.NewPCG(1, 2))
		a, pieces, inverse := matrix(r, n, n), matrix(r, n, n), matrix(r, n, n)
		p := simd.NewMultiplier(simd.Best())
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			for b.Loop() {
				copy(pieces.Data, a.Data)
				p.InvertTransposed(inverse, pieces)
			}
		})
	}
}
