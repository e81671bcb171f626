package node

import (
	"context"
	"fmt"
	"sync"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// task is a sweep as a node works on it: decoded once, shared by the slots, read only.
type task struct {
	spec       *sweep.Spec
	schema     *results.Schema
	parameters []sweep.ParameterID // of the schema's parameter columns
	record     sweep.Record
}

// maxTasks is how many sweeps a node keeps decoded.
const maxTasks = 8

// specs fetches sweeps from the coordinator and keeps the last few.
type specs struct {
	client *client

	mu    sync.Mutex
	tasks map[string]*task
	order []string // by first use, oldest first
}

// get returns a sweep. It asks again for as long as the coordinator cannot be reached; its errors
// are final.
func (s *specs) get(ctx context.Context, sweepID string) (*task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tasks[sweepID]; t != nil {
		return t, nil
	}
	for attempt := 1; ; attempt++ {
		canonical, version, err := s.client.spec(ctx, sweepID)
		switch {
		case err == nil && version != solver.Version:
			return nil, fmt.Errorf("sweep %s needs solver %d, this node has %d", sweepID, version, solver.Version)
		case err == nil:
			t, err := newTask(canonical)
			if err != nil {
				return nil, fmt.Errorf("sweep %s: %w", sweepID, err)
			}
			s.keep(sweepID, t)
			return t, nil
		case permanent(err) || !sleep(ctx, backOff(attempt, err)):
			return nil, err
		}
	}
}

func (s *specs) keep(sweepID string, t *task) {
	if s.tasks == nil {
		s.tasks = map[string]*task{}
	}
	if len(s.order) == maxTasks {
		delete(s.tasks, s.order[0])
		s.order = s.order[1:]
	}
	s.tasks[sweepID] = t
	s.order = append(s.order, sweepID)
}

func newTask(canonical []byte) (*task, error) {
	spec, err := sweep.Decode(canonical)
	if err != nil {
		return nil, err
	}
	t := &task{spec: spec, parameters: results.SweepParameters(spec), record: spec.Record()}
	t.schema, err = results.SweepSchema(spec, solver.Version)
	return t, err
}
