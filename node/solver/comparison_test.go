package solver

import (
	"context"
	"math"
	"testing"
)

func TestComparisonsRun(t *testing.T) {
	names := map[string]bool{}
	for c, err := range Comparisons(true) {
		if err != nil {
			t.Fatal(err)
		}
		if names[c.Name] || c.Baseline == "" || !(c.Work > 0) || !(c.TheirWork > 0) {
			t.Errorf("%+v", c)
		}
		names[c.Name] = true
		for _, call := range []func(context.Context) error{c.Ours, c.Theirs} {
			if c.Reset != nil {
				if err := c.Reset(); err != nil {
					t.Fatalf("%s: %v", c.Name, err)
				}
			}
			if err := call(t.Context()); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
	}
	if len(names) < 20 {
		t.Errorf("only %d comparisons", len(names))
	}
}

// The baseline of dense specgd takes the same step as the solver: the comparison is of equal work.
func TestPlainSpecGDStepsAsTheSolverDoes(t *testing.T) {
	p := spikedProblem(24, 10)
	p.Representation, p.Optimizer, p.Init, p.InitScale, p.LearningRate, p.Seed = Dense, SpecGD, Gaussian, 0.05, 0.004, 1
	ws := newWorkspace(New().ws.kernel)
	system, err := newDense(&p, ws)
	if err != nil {
		t.Fatal(err)
	}
	plain := newPlainSpecGD(&p)
	copy(plain.w.RawMatrix().Data, system.w)
	for k := range 3 {
		system.observe()
		if err := system.step(k, p.LearningRate); err != nil {
			t.Fatal(err)
		}
		if err := plain.step(p.LearningRate); err != nil {
			t.Fatal(err)
		}
	}
	for i, w := range plain.w.RawMatrix().Data {
		if math.Abs(w-system.w[i]) > 1e-10 {
			t.Fatalf("entry %d is %v, the solver's %v", i, w, system.w[i])
		}
	}
}
