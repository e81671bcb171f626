package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDependenciesPageNamesEveryModule: each direct requirement has a reason.
func TestDependenciesPageNamesEveryModule(t *testing.T) {
	text, err := os.ReadFile("../../dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	version := regexp.MustCompile(`/v[0-9]+$`)
	for line := range strings.Lines(string(mod)) {
		requirement, ok := strings.CutPrefix(line, "\t")
		path, _, isRequirement := strings.Cut(requirement, " ")
		if !ok || !isRequirement || strings.Contains(line, "// indirect") {
			continue
		}
		named++
		if path = version.ReplaceAllString(path, ""); !strings.Contains(string(text), path) {
			t.Errorf("docs/dependencies.md gives no reason for %s", path)
		}
	}
	if named < 30 {
		t.Errorf("found %d direct requirements, want at least 30", named)
	}
}
