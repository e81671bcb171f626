package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is the repository, seen from this package.
const root = "../.."

// tests share the sweeps that they solve.
var tested *shelf

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "paper-*")
	if err != nil {
		panic(err)
	}
	tested = newShelf(root, folder)
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// TestClaims solves the sweeps of each claim and holds every number in its range, the headers of
// the examples to what their rows say, and the claim's section of the page.
func TestClaims(t *testing.T) {
	page := read(t, pageName)
	for _, s := range sections() {
		for _, c := range s.claims {
			t.Run(slug(c.name), func(t *testing.T) {
				m, err := c.run(t.Context(), tested)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range m.numbers {
					if !n.expected() {
						t.Errorf("%s: got %s, want %s (%s)", n.name, n.text(n.value), n.interval(), n.from)
					}
				}
				for _, q := range m.quotes {
					if !q.in(read(t, q.file)) {
						t.Errorf("%s does not say: %s", q.file, q.text)
					}
				}
				text, err := c.section(m)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(page, text) {
					t.Errorf("the section of %s is stale: run make paper", pageName)
				}
			})
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
