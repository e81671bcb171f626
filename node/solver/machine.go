package solver

import (
	"runtime"

	"github.com/phasegrid/phasegrid/node/solver/simd"
	"golang.org/x/sys/cpu"
)

// ArithmeticClass names the class of machines that compute the same bits as this one, such as amd64
// with fused multiply-add. All rows of a sweep come from one class.
func ArithmeticClass() string {
	if runtime.GOARCH == "amd64" && !cpu.X86.HasFMA {
		return "amd64-nofma"
	}
	if runtime.GOARCH == "amd64" {
		return "amd64-fma"
	}
	return runtime.GOARCH
}

// Kernel returns the name of the vector kernel in use, for display: every kernel gives the same
// bits.
func Kernel() string { return simd.Best().String() }
