package node

import (
	"context"
	"fmt"
	"sync"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// preparedSweep is a sweep as slots work on it: decoded once, shared, read-only.
type preparedSweep struct {
	spec       *sweep.Spec
	schema     *results.Schema
	parameters []sweep.ParameterID // of the schema's parameter columns
	record     sweep.Record
}

// maxSweeps is the number of sweeps that a node keeps decoded.
const maxSweeps = 8

// sweepCache fetches sweeps from the coordinator and keeps the last few. It is safe for concurrent
// use.
type sweepCache struct {
	client *client

	mu     sync.Mutex
	sweeps map[string]*preparedSweep
	order  []string // by first use, oldest first
}

// get returns a sweep. It asks again until the coordinator answers; its errors are final.
func (c *sweepCache) get(ctx context.Context, sweepID string) (*preparedSweep, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sweeps[sweepID]; s != nil {
		return s, nil
	}
	var canonical []byte
	var needed sweep.SolverIdentity
	err := retry(ctx, nil, func() (err error) {
		canonical, needed, err = c.client.spec(ctx, sweepID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if needed != ownSolver() {
		return nil, fmt.Errorf(
			"prepare sweep %s: it needs solver %s, this node has %s; use the matching release",
			sweepID, needed, ownSolver(),
		)
	}
	s, err := prepare(canonical)
	if err != nil {
		return nil, fmt.Errorf("prepare sweep %s: %w", sweepID, err)
	}
	c.keep(sweepID, s)
	return s, nil
}

func (c *sweepCache) keep(sweepID string, s *preparedSweep) {
	if c.sweeps == nil {
		c.sweeps = map[string]*preparedSweep{}
	}
	if len(c.order) == maxSweeps {
		delete(c.sweeps, c.order[0])
		c.order = c.order[1:]
	}
	c.sweeps[sweepID] = s
	c.order = append(c.order, sweepID)
}

// ownSolver is the solver of this node.
func ownSolver() sweep.SolverIdentity { return sweep.BuiltinSolver(solver.Version) }

// prepare decodes a canonical spec.
func prepare(canonical []byte) (*preparedSweep, error) {
	spec, err := sweep.Decode(canonical)
	if err != nil {
		return nil, err
	}
	s := &preparedSweep{spec: spec, parameters: results.SweepParameters(spec), record: spec.Record()}
	s.schema, err = results.SweepSchema(spec, ownSolver())
	return s, err
}
