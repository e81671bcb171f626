//go:build duckdb

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
)

// pageQuery is a query on a page with the table that it prints.
var pageQuery = regexp.MustCompile("(?s)```sql\n([^`]*)```\n```\n([^`]*)```")

// shippedExample is an example that a page names.
var shippedExample = regexp.MustCompile("`(spiked-phase-diagram|learning-rate-stability)`")

// TestQueriesOnPages runs the queries of the page on result sets, each on the example that was
// named last, and compares what they print with what the page shows.
func TestQueriesOnPages(t *testing.T) {
	text, err := os.ReadFile("../../docs/result-set.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	sets := map[string]*results.Set{}
	queries := pageQuery.FindAllStringSubmatchIndex(page, -1)
	for _, at := range queries {
		examples := shippedExample.FindAllStringSubmatch(page[:at[0]], -1)
		if len(examples) == 0 {
			t.Fatal("the page has a query before it names an example")
		}
		name := examples[len(examples)-1][1]
		if sets[name] == nil {
			file, err := os.ReadFile(filepath.Join("../../sweep/examples", name+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			sets[name] = runSweep(t, string(file))
		}
		query, want := page[at[2]:at[3]], page[at[4]:at[5]]
		got := phasegrid(t, "query", query, "--set", sets[name].Dir())
		if got.code != exitDone || strings.TrimSpace(got.stdout) != strings.TrimSpace(want) {
			t.Errorf("%s\non %s printed\n%s%swant\n%s", query, name, got.stdout, got.stderr, want)
		}
	}
	if len(queries) < 5 {
		t.Errorf("the page has %d queries", len(queries))
	}
}
