package solver

import (
	"runtime"

	"github.com/phasegrid/phasegrid/node/solver/simd"
	"golang.org/x/sys/cpu"
)

// ArithmeticClass names the machines that compute the same bits: amd64 with fused multiply-add is
// one. A sweep's rows all come from one class.
func ArithmeticClass() string {
	if runtime.GOARCH == "amd64" && !cpu.X86.HasFMA {
		return "amd64-nofma"
	}
	if runtime.GOARCH == "amd64" {
		return "amd64-fma"
	}
	return runtime.GOARCH
}

// Kernel names the instructions that the solver's loops use, for people: every kernel gives the
// same bits.
func Kernel() string { return simd.Best().String() }
