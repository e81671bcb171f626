package main

import (
	"context"
	"math"

	"github.com/phasegrid/phasegrid/results"
)

// run is a row of the points table with its recorded iterates.
type run struct {
	results.PointRow
	columns    map[string]int          // positions of the parameters
	trajectory []results.TrajectoryRow // by measurement.paths only
}

// load reads points. Null floats are NaN, null steps -1.
func (s *set) load(ctx context.Context) error {
	columns := map[string]int{}
	for i, c := range s.Schema().Parameters() {
		columns[c.Name] = i
	}
	for row, err := range s.Points(ctx) {
		if err != nil {
			return err
		}
		s.runs = append(s.runs, run{PointRow: row, columns: columns})
	}
	return nil
}

// loadTrajectories reads the recorded iterates, once.
func (s *set) loadTrajectories(ctx context.Context) error {
	if s.trajectories {
		return nil
	}
	s.trajectories = true
	at := map[int64]int{}
	for i, r := range s.runs {
		at[r.Point] = i
	}
	for row, err := range s.Trajectories(ctx) {
		if err != nil {
			return err
		}
		r := &s.runs[at[row.Point]]
		r.trajectory = append(r.trajectory, row)
	}
	return nil
}

// cell returns a parameter; one that the sweep does not have is null.
func (r run) cell(name string) results.Cell {
	if i, ok := r.columns[name]; ok {
		return r.Parameters[i]
	}
	return results.Cell{Null: true}
}

// number returns a parameter of numbers; NaN where it is null.
func (r run) number(name string) float64 {
	c := r.cell(name)
	switch {
	case c.Null:
		return math.NaN()
	case c.Int != 0:
		return float64(c.Int)
	}
	return c.Float
}

// word returns a parameter of words; empty where it is null.
func (r run) word(name string) string { return r.cell(name).Text }

// is returns a filter for runs with this word.
func is(name, word string) func(run) bool {
	return func(r run) bool { return r.word(name) == word }
}

// aligned reports whether a run is stable and ends aligned.
func (r run) aligned() bool {
	return r.Status == results.StatusOK && !r.UnstableStep && r.Held90Step >= 0
}

// held is held_90_step as rankings take it: infinite where the run is unstable, ends below, or
// holds the level only in its last tenth.
func (r run) held() float64 {
	if !r.aligned() || 10*r.Held90Step > 9*r.StepsRun {
		return math.Inf(1)
	}
	return float64(r.Held90Step)
}
