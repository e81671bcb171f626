package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/cmd/phasegrid/local"
	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// shelf solves examples on a local cluster and keeps their rows, each sweep once. It is for one
// goroutine.
type shelf struct {
	root, folder string // of the repository; of the result sets
	sets         map[string]*set
	drawn        map[string]bool // files of figures
}

// set is the rows of a sweep.
type set struct {
	*results.Set
	id           string
	figures      []figure.Figure // of the sweep file
	runs         []run
	trajectories bool // whether the runs have theirs
}

func newShelf(root, folder string) *shelf {
	return &shelf{root: root, folder: folder, sets: map[string]*set{}, drawn: map[string]bool{}}
}

// exampleFile is the path of an example in the repository.
func exampleFile(name string) string { return "sweep/examples/" + name + ".yaml" }

// parseExample reads an example.
func parseExample(root, name string) (*sweep.Spec, []byte, error) {
	file := filepath.Join(root, filepath.FromSlash(exampleFile(name)))
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("read example: %w", err)
	}
	spec, err := sweep.Parse(file, text, sweep.Limits{})
	return spec, text, err
}

// open returns the rows of an example, and solves it first if that is not done.
func (s *shelf) open(ctx context.Context, name string) (*set, error) {
	if known := s.sets[name]; known != nil {
		return known, nil
	}
	spec, text, err := parseExample(s.root, name)
	if err != nil {
		return nil, err
	}
	id := spec.ID(sweep.BuiltinSolver(solver.Version))
	folder := filepath.Join(s.folder, spec.Name()+"-"+id[:8])
	opened, err := results.OpenSet(folder)
	if err != nil || opened.Manifest() == nil {
		if err := s.solve(ctx, name, text); err != nil {
			return nil, err
		}
		if opened, err = results.OpenSet(folder); err != nil {
			return nil, err
		}
	}
	loaded := &set{Set: opened, id: id, figures: spec.Figures()}
	if err := loaded.load(ctx); err != nil {
		return nil, fmt.Errorf("read rows of %s: %w", name, err)
	}
	s.sets[name] = loaded
	return loaded, nil
}

// solve runs a sweep as `phasegrid run` does, without earlier results.
func (s *shelf) solve(ctx context.Context, name string, text []byte) error {
	state, err := os.MkdirTemp(s.folder, "state-*")
	if err != nil {
		return fmt.Errorf("make a state directory: %w", err)
	}
	defer os.RemoveAll(state)
	discard := slog.New(slog.DiscardHandler)
	cfg := local.Config{
		Out: s.folder, State: state, Slots: runtime.GOMAXPROCS(0),
		Version: "paper", Log: discard, CoordinatorLog: discard, Stderr: os.Stderr,
	}
	ended, err := local.Run(ctx, cfg, exampleFile(name), text, func(client.Sweep) {})
	if err != nil {
		return fmt.Errorf("solve %s: %w", name, err)
	}
	if n := ended.Progress.ShardsQuarantined; n > 0 {
		return fmt.Errorf("solve %s: %d shards are quarantined", name, n)
	}
	return nil
}
