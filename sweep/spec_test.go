package sweep_test

import (
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

const diagram = `
name: spiked-phase-diagram
fixed:  {model: population, covariance: spiked, init: identity}
grid:
  optimizer: [gd, specgd, {name: muon, momentum: 0.9, ns_steps: 5}]
  anisotropy: {logspace: {from: 0.5, to: 200, num: 500}}
  dimension: [30, 100, 300, 1000, 3000, 10000, 1000000]
derive:
  init_scale: 0.0137 / sqrt(dimension)
  learning_rate: "optimizer == 'gd' ? 0.5 / max(3, 1 + anisotropy) : 0.0207 / sqrt(dimension)"
  steps: "optimizer == 'gd' ? 8000 : ceil(2 / learning_rate)"
where: not (optimizer == 'gd' and anisotropy > 150)
record: {log: 60}
`

func parse(t testing.TB, src string) *sweep.Spec {
	t.Helper()
	spec, err := sweep.Parse("sweep.yaml", []byte(src), sweep.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestPointsFollowTheTableNotTheFile(t *testing.T) {
	spec := parse(t, diagram)
	if spec.Size() != 3*500*7 {
		t.Fatalf("Size() = %d, want 10500", spec.Size())
	}
	// Optimizer is outermost, then dimension, then anisotropy.
	p, ok := spec.Point(2*3500 + 6*500 + 499)
	if !ok || p.Params[sweep.Optimizer].Text() != "muon" || p.Params[sweep.Dimension].Int() != 1_000_000 ||
		p.Params[sweep.Anisotropy].Float() != 200 || p.Params[sweep.Momentum].Float() != 0.9 {
		t.Errorf("the last point is %v, %v", p, ok)
	}
	// gd with anisotropy > 150 is no point.
	if p, ok := spec.Point(499); ok {
		t.Errorf("where leaves %v", p)
	}
}

func TestCanonicalSpecReadsBackAsItself(t *testing.T) {
	spec := parse(t, diagram)
	back, err := sweep.Decode(spec.Canonical())
	if err != nil {
		t.Fatal(err)
	}
	solver := sweep.BuiltinSolver(1)
	id := spec.ID(solver)
	if got := back.ID(solver); got != id || back.Size() != spec.Size() {
		t.Errorf("Decode(Canonical()) is %s, %d indices, not %s, %d", got, back.Size(), id, spec.Size())
	}
	if file := parse(t, string(sweep.File("again", spec.Canonical(), nil))); file.ID(solver) != id ||
		file.Name() != "again" {
		t.Errorf("File is the sweep %q %s, not again %s", file.Name(), file.ID(solver), id)
	}
}
