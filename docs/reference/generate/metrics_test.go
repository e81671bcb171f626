package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
)

// TestMetricsPageExplainsEveryColumn: docs/metrics.md names each metric, and each number of a run.
func TestMetricsPageExplainsEveryColumn(t *testing.T) {
	text, err := os.ReadFile("../../metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var cells strings.Builder // the first of each row
	for line := range strings.Lines(string(text)) {
		if row, ok := strings.CutPrefix(line, "| `"); ok {
			cell, _, _ := strings.Cut(row, " |")
			cells.WriteString("`" + cell + "\n")
		}
	}
	schema, err := results.NewSchema(nil, results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	explained := 0
	for _, c := range schema.Columns(results.Points) {
		switch c.Name {
		case "point", "point_id", "representation", "status", "detail": // not measured
			continue
		}
		explained++
		if !strings.Contains(cells.String(), "`"+c.Name+"`") {
			t.Errorf("docs/metrics.md does not explain %s", c.Name)
		}
	}
	if least := reflect.TypeFor[results.Metrics]().NumField() + 10; explained < least {
		t.Errorf("found %d columns, want at least %d", explained, least)
	}
}
