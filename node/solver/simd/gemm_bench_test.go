package simd_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

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

func BenchmarkGemm(b *testing.B) {
	for _, n := range []int{64, 128, 256, 512, 1024} {
		r := rand.New(rand.NewPCG(1, 2))
		x, y, z := matrix(r, n, n), matrix(r, n, n), matrix(r, n, n)
		run := func(name string, f func()) {
			b.Run(fmt.Sprintf("n=%d/%s", n, name), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(2e-9*float64(n*n)*float64(n)*float64(b.N)/b.Elapsed().Seconds(), "GFLOP/s")
			})
		}
		for _, k := range simd.Available() {
			m := simd.NewMultiplier(k)
			run(k.String(), func() { m.Gemm(blas.NoTrans, blas.NoTrans, 1, x, y, 0, z) })
		}
		run("gonum", func() { blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, x, y, 0, z) })
	}
}
