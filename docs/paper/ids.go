package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/sweep"
)

// pageFiles lists the pages that may name result sets, in the repository.
func pageFiles(root string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		return nil, fmt.Errorf("list pages: %w", err)
	}
	pages := []string{"README.md"}
	for _, file := range files {
		pages = append(pages, "docs/"+filepath.Base(file))
	}
	return pages, nil
}

// resultSets returns the names of the result sets of all examples, by the name of the example.
func resultSets(root string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(exampleFile("*"))))
	if err != nil {
		return nil, fmt.Errorf("list examples: %w", err)
	}
	sets := map[string]string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		spec, _, err := parseExample(root, name)
		if err != nil {
			return nil, err
		}
		sets[name] = spec.ResultSet(sweep.BuiltinSolver(solver.Version))
	}
	return sets, nil
}

// named is the name of a result set.
var named = regexp.MustCompile(`([a-z-]+)-[0-9a-f]{8}\b`)

// withIDs replaces ids of earlier sweeps in a text.
func withIDs(text string, sets map[string]string) string {
	return named.ReplaceAllStringFunc(text, func(set string) string {
		if today, ok := sets[named.FindStringSubmatch(set)[1]]; ok {
			return today
		}
		return set
	})
}

// updateIDs writes today's ids into the pages.
func updateIDs(root string) error {
	sets, err := resultSets(root)
	if err != nil {
		return err
	}
	pages, err := pageFiles(root)
	if err != nil {
		return err
	}
	for _, page := range pages {
		file := filepath.Join(root, filepath.FromSlash(page))
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read page: %w", err)
		}
		today := withIDs(string(text), sets)
		if today == string(text) {
			continue
		}
		if err := os.WriteFile(file, []byte(today), 0o644); err != nil {
			return fmt.Errorf("write page: %w", err)
		}
	}
	return nil
}
