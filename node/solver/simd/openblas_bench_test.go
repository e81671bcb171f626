//go:build openblas

package simd_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/node/solver/simd"
	"github.com/phasegrid/phasegrid/node/solver/simd/openblas"
	"gonum.org/v1/gonum/blas"
)

// BenchmarkGemmAgainstOpenBLAS runs both in turns on one thread, so that the ratio of their fastest
// rounds does not depend on what else the machine does.
func BenchmarkGemmAgainstOpenBLAS(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	openblas.OneThread()
	for _, n := range []int{64, 96, 128, 192, 256, 384, 512, 1024} {
		r := rand.New(rand.NewPCG(1, 2))
		x, y, z := matrix(r, n, n), matrix(r, n, n), matrix(r, n, n)
		m := simd.NewMultiplier(simd.Best())
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			ours, theirs := time.Hour, time.Hour
			for b.Loop() {
				start := time.Now()
				m.Gemm(blas.NoTrans, blas.NoTrans, 1, x, y, 0, z)
				middle := time.Now()
				openblas.Gemm(x, y, z)
				ours, theirs = min(ours, middle.Sub(start)), min(theirs, time.Since(middle))
			}
			flops := 2 * float64(n) * float64(n) * float64(n)
			b.ReportMetric(flops/float64(ours.Nanoseconds()), "GFLOP/s")
			b.ReportMetric(flops/float64(theirs.Nanoseconds()), "OpenBLAS-GFLOP/s")
			b.ReportMetric(float64(theirs)/float64(ours), "ratio")
		})
	}
}
