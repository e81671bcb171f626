package simd

import (
	"fmt"
	"strings"
)

// Kernel names the instruction set that a computation uses. All kernels give the same bits.
type Kernel uint8

const (
	Scalar Kernel = iota // plain Go
	AVX2                 // 4 float64 a vector, with FMA
	AVX512               // 8 float64 a vector
)

var names = [...]string{Scalar: "scalar", AVX2: "avx2", AVX512: "avx512"}

// String returns scalar, avx2 or avx512.
func (k Kernel) String() string { return names[k] }

// Best returns the fastest kernel that this program was built with and this CPU has. GODEBUG's cpu.avx512=off and
// cpu.avx2=off are obeyed.
func Best() Kernel { return best() }

// Available lists the kernels that can run here, slowest first. Scalar is always one of them.
func Available() []Kernel {
	var all []Kernel
	for k := Scalar; k <= Best(); k++ {
		all = append(all, k)
	}
	return all
}

// ParseKernel reads a kernel's name; "" and "auto" mean Best. A kernel that cannot run here is an error.
func ParseKernel(name string) (Kernel, error) {
	if name == "" || name == "auto" {
		return Best(), nil
	}
	for k, n := range names {
		if n != name {
			continue
		}
		if Kernel(k) > Best() {
			return 0, fmt.Errorf("kernel %q cannot run here: use %s", name, choices())
		}
		return Kernel(k), nil
	}
	return 0, fmt.Errorf("unknown kernel %q: use %s", name, choices())
}

func choices() string {
	c := []string{"auto"}
	for _, k := range Available() {
		c = append(c, k.String())
	}
	return strings.Join(c, ", ")
}
