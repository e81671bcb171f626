package node_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/node"
	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// panicking is a solver that cannot bear one learning rate.
type panicking struct{ rate float64 }

func (p panicking) Solve(ctx context.Context, problems []solver.Problem, out []solver.Result) error {
	for i := range problems {
		if problems[i].LearningRate == p.rate {
			panic("rate\nis poison")
		}
	}
	return solver.New().Solve(ctx, problems, out)
}

const ratesSweep = `
name: rates
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, steps: 40, anisotropy: 5, dimension: 20}
grid:
  optimizer: [gd, specgd]
  learning_rate: [0.01, 0.02, 0.03, 5]
record: {every: 20}
`

func TestPanicOfOnePointIsOneFailedRow(t *testing.T) {
	rows := solveAll(t, ratesSweep, node.Config{Slots: 1, NewSolver: func() node.Solver { return panicking{0.02} }}, 8)
	for i, r := range rows {
		switch {
		case i%4 == 1:
			if r.Status != results.StatusFailed || !strings.Contains(r.Detail, "rate is poison") || !math.IsNaN(r.Loss) || r.StepsRun != -1 {
				t.Errorf("point %d: %+v", i, r)
			}
		case i == 3:
			if r.Status != results.StatusDiverged || r.DivergedStep < 1 || !math.IsNaN(r.TailLoss) {
				t.Errorf("point %d: %+v", i, r)
			}
		case r.Status != results.StatusOK || r.StepsRun != 40:
			t.Errorf("point %d: %+v", i, r)
		}
	}
}

// solveAll runs a sweep as one shard on a node and returns its point rows.
func solveAll(t *testing.T, file string, cfg node.Config, points int64) []results.PointRow {
	t.Helper()
	f := newFake(t, specOf(t, file))
	f.run(cfg)
	f.grant(0, 0, points)
	f.await("the shard", func() bool { return len(f.deliveries) == 1 })
	return pointsOf(t, file, f.deliveries[0])
}
