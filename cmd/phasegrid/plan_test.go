package main

import (
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

// TestSolvingTime compares the estimates with the times of one core of a Xeon with AVX-512: they
// are within a factor of two.
func TestSolvingTime(t *testing.T) {
	for _, c := range []struct {
		optimizer string
		groups    int64
		kernel    string
		rate      float64 // measured, flop/s
	}{
		{"gd", 3, "avx512", 48e9},
		{"specgd", 3, "avx512", 42e9},
		{"muon", 3, "avx512", 18e9},
		{"momentum", 3, "avx512", 8.1e9},
		{"signum", 3, "avx512", 7.5e9},
		{"nucspec", 3, "avx512", 6.5e9},
		{"shampoo", 3, "avx512", 5.2e9},
		{"ngd", 3, "avx512", 4.8e9},
		{"adam", 3, "avx512", 4.3e9},
		{"power", 3, "avx512", 5.5e9},
		{"dynmuon", 3, "avx512", 1.75e9},
		{"gd", 100, "avx512", 21e9},
		{"adam", 100, "avx512", 12.7e9},
		{"shampoo", 100, "avx512", 9.4e9},
		{"power", 100, "avx512", 5.8e9},
		{"dynmuon", 100, "avx512", 6.6e9},
		{"gd", 3, "avx2", 15.5e9},
		{"muon", 3, "avx2", 11.9e9},
		{"adam", 3, "avx2", 3e9},
		{"gd", 3, "scalar", 1.7e9},
	} {
		shape := sweep.Shape{Representation: "reduced", Optimizer: c.optimizer, Groups: c.groups, Flops: c.rate}
		if got := solvingTime(shape, c.kernel); got < 0.5 || got > 2 {
			t.Errorf("%s with %d groups on %s: %.2f of the time that it took", c.optimizer, c.groups, c.kernel, got)
		}
	}
}
