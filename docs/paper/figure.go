package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/phasegrid/phasegrid/results/plot"
)

// figureFolder holds the figures, in the repository.
const figureFolder = "docs/images/paper"

// looks are figures of examples for which the default of their axes is not the one to see.
var looks = map[string]plot.Options{
	"slow-convergence":  {Kind: plot.Trajectories, Y: "parameter_mse", Color: "exponent"},
	"online-power-law":  {Kind: plot.Trajectories, Y: "parameter_mse", Color: "exponent"},
	"overlap-growth":    {Kind: plot.Trajectories, Y: "teacher_covariance_overlap", Color: "exponent"},
	"fast-escape":       {Kind: plot.Curves, X: "dimension", Y: "escape_step", Color: "exponent"},
	"growth-rates":      {Kind: plot.Trajectories, Y: "spike_coefficient", Color: "anisotropy"},
	"two-layer-network": {Kind: plot.Trajectories, Facet: "optimizer", Color: "second_layer"},
	"muon-variants":     {Kind: plot.Curves, X: "anisotropy", Y: "peak_spike_alignment", Color: "orthogonalizer"},
	"noise-contraction": {Kind: plot.Trajectories, X: "eta_step", Facet: "optimizer", Color: "anisotropy"},
	"nuclear-rank":      {Kind: plot.Trajectories, Y: "gradient_nuclear_rank", Facet: "optimizer", Color: "anisotropy"},
	"broader-covariances": {
		Kind: plot.Curves, X: "ratio", Y: "held_90_step", Color: "optimizer", Facet: "family",
	},
	"tuned-comparison": {
		Kind: plot.Curves, X: "anisotropy", Y: "held_90_step", Color: "optimizer", Facet: "dimension",
	},
	"mixed-teacher": {Kind: plot.Curves, X: "anisotropy", Y: "peak_spike_alignment", Color: "tilt", Facet: "optimizer"},
}

// figureFiles lists the files of a sweep's figures, in the repository.
func figureFiles(s *set) []string {
	return []string{path.Join(figureFolder, s.Manifest().Name+".svg")}
}

// draw writes the figures of a solved sweep, once.
func (s *shelf) draw(ctx context.Context, name string) error {
	set := s.sets[name]
	for _, file := range figureFiles(set) {
		if s.drawn[file] {
			continue
		}
		figure, err := plot.Draw(ctx, set.Set, looks[name])
		if err != nil {
			return fmt.Errorf("draw %s: %w", name, err)
		}
		if err := writeFigure(figure, filepath.Join(s.root, filepath.FromSlash(file))); err != nil {
			return err
		}
		s.drawn[file] = true
	}
	return nil
}

func writeFigure(figure *plot.Figure, file string) (err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("write figure: %w", err)
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("write figure: %w", err)
	}
	if err := figure.Write(f, "svg"); err != nil {
		f.Close()
		return fmt.Errorf("write figure: %w", err)
	}
	return f.Close()
}

// removeStaleFigures removes figures that no claim has any more.
func (s *shelf) removeStaleFigures() error {
	files, err := filepath.Glob(filepath.Join(s.root, filepath.FromSlash(figureFolder), "*.svg"))
	if err != nil {
		return fmt.Errorf("list figures: %w", err)
	}
	for _, file := range files {
		if !s.drawn[path.Join(figureFolder, filepath.Base(file))] {
			if err := os.Remove(file); err != nil {
				return fmt.Errorf("remove figure: %w", err)
			}
		}
	}
	return nil
}
