// Command generate writes the reference pages that need no command tree into a folder: parameters,
// optimizers, covariances, columns, Prometheus metrics and limits. cmd/phasegrid has a test that
// writes the page of commands.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("generate: ")
	if len(os.Args) != 2 {
		log.Fatal("usage: generate FOLDER")
	}
	pages, err := pages()
	if err != nil {
		log.Fatal(err)
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), []byte(text), 0o644); err != nil {
			log.Fatalf("write page: %v", err)
		}
	}
}

// pages returns the text of each page by the name of its file.
func pages() (map[string]string, error) {
	metrics, err := prometheusPage()
	if err != nil {
		return nil, fmt.Errorf("page of Prometheus metrics: %w", err)
	}
	return map[string]string{
		"parameters.md":  parametersPage(),
		"optimizers.md":  optimizersPage(),
		"covariances.md": covariancesPage(),
		"columns.md":     columnsPage(),
		"prometheus.md":  metrics,
		"limits.md":      limitsPage(),
	}, nil
}
