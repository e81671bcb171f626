package main

import (
	"os"
	"path/filepath"
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
