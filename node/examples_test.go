package node

import (
	"context"
	"os"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/sweep"
)

// exampleRun is a point of a shipped example and its result.
type exampleRun struct {
	*sweep.Point
	solver.Result
}

// solveExample solves the selected points of sweep/examples/<name>.yaml and records their first and
// last step.
func solveExample(t *testing.T, name string, pick func(p *sweep.Point) bool) []exampleRun {
	t.Helper()
	file := "../sweep/examples/" + name + ".yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := sweep.Parse(file, text, sweep.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var out []exampleRun
	s := solver.New()
	for p := range spec.Points(0, spec.Size()) {
		if !pick(&p) {
			continue
		}
		q, err := NewProblem(p.Params, []int{0, int(p.Params[sweep.Steps].Int())}, true)
		if err != nil {
			t.Fatal(err)
		}
		result := make([]solver.Result, 1)
		if err := s.Solve(context.Background(), []solver.Problem{q}, result); err != nil {
			t.Fatal(err)
		}
		out = append(out, exampleRun{&p, result[0]})
	}
	if len(out) == 0 {
		t.Fatalf("%s: no point is picked", name)
	}
	return out
}
