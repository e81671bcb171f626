package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
)

func TestColumnsAreThoseOfTheReference(t *testing.T) {
	table := phasegrid(t, "columns")
	asJSON := phasegrid(t, "columns", "-o", "json")
	var views []columnView
	if err := json.Unmarshal([]byte(asJSON.stdout), &views); err != nil || table.code != exitDone {
		t.Fatalf("exit code %d, %v\n%s", table.code, err, table.stderr)
	}
	lines := strings.Split(strings.TrimSpace(table.stdout), "\n")[1:]
	i := 0
	for _, r := range results.Reference() {
		for _, c := range r.Columns {
			want := columnView{r.Table.String(), c.Name, c.Kind.String(), c.Nullable, c.Unit, c.Doc}
			if i >= len(views) || views[i] != want {
				t.Fatalf("column %d: got %+v, want %+v", i, views[min(i, len(views)-1)], want)
			}
			fields := strings.Fields(lines[i])
			if fields[0] != want.Table || fields[1] != want.Name || !strings.HasSuffix(lines[i], want.Formula) {
				t.Errorf("got line %q, want %+v", lines[i], want)
			}
			i++
		}
	}
	if i != len(views) || i != len(lines) {
		t.Errorf("got %d columns and %d lines, want %d", len(views), len(lines), i)
	}
}
