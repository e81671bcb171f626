package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPagesAreCurrent compares the pages with the code that they describe.
func TestPagesAreCurrent(t *testing.T) {
	want, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	want["commands.md"] = "" // see cmd/phasegrid
	files, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, ok := want[filepath.Base(file)]; !ok {
			t.Errorf("%s is not generated: remove it", file)
		}
	}
	delete(want, "commands.md")
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != text {
			t.Errorf("docs/reference/%s is stale: run make docs-reference", name)
		}
	}
}

// TestMonitoringExplainsEveryMetric: operators find what to do for each of them.
func TestMonitoringExplainsEveryMetric(t *testing.T) {
	text, err := os.ReadFile("../../monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	page, err := prometheusPage()
	if err != nil {
		t.Fatal(err)
	}
	explained := 0
	for line := range strings.Lines(page) {
		if name, ok := strings.CutPrefix(line, "| `phasegrid_"); ok {
			explained++
			name, _, _ = strings.Cut(name, "`")
			if !strings.Contains(string(text), "| `phasegrid_"+name+"` |") {
				t.Errorf("docs/monitoring.md does not explain phasegrid_%s", name)
			}
		}
	}
	if explained < 20 {
		t.Errorf("found %d metrics on the page, want at least 20", explained)
	}
}
