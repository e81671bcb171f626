package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"github.com/phasegrid/phasegrid/results/plot"
)

// figureFolder holds the figures, in the repository.
const figureFolder = "docs/images/paper"

// figureFiles lists the files of a sweep's figures, in the repository.
func figureFiles(s *set) []string {
	name := path.Join(figureFolder, s.Manifest().Name)
	if len(s.figures) == 1 {
		return []string{name + ".svg"}
	}
	var files []string
	for i, f := range s.figures {
		files = append(files, fmt.Sprintf("%s.%s.svg", name, cmp.Or(f.Name, strconv.Itoa(i+1))))
	}
	return files
}

// draw writes the figures of a solved sweep, once.
func (s *shelf) draw(ctx context.Context, name string) error {
	set := s.sets[name]
	for i, file := range figureFiles(set) {
		if s.drawn[file] {
			continue
		}
		drawn, err := plot.Draw(ctx, set.Set, set.figures[i])
		if err != nil {
			return fmt.Errorf("draw %s: %w", name, err)
		}
		if err := writeFigure(drawn, filepath.Join(s.root, filepath.FromSlash(file))); err != nil {
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
