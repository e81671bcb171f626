package solver_test

import (
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
)

func TestSelfCheck(t *testing.T) {
	if err := solver.SelfCheck(); err != nil {
		t.Error(err)
	}
}

func BenchmarkSelfCheck(b *testing.B) {
	for b.Loop() {
		if err := solver.SelfCheck(); err != nil {
			b.Fatal(err)
		}
	}
}
