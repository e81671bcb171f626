//go:build duckdb

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Variables part the cells of views as other axes do, but rankings tune over those that only choose
// the learning rate. The view columns says what they are.
func TestViewsHaveVariables(t *testing.T) {
	set := runSweep(t, multiplied)
	for query, want := range map[string]string{
		"SELECT count(*) FROM phase_diagram WHERE multiplier = 0.5":                                 "6",
		"SELECT sum(replicates) FROM phase_diagram WHERE setting = 'muon' AND multiplier = 4":       "3",
		"SELECT count(*) FROM best_learning_rate":                                                   "6",
		"SELECT sum(learning_rates) FROM best_learning_rate":                                        "27",
		"SELECT count(DISTINCT multiplier) FROM escape":                                             "5",
		"SELECT count(*) FROM crossover":                                                            "3",
		"SELECT count(*) > 4 FROM columns WHERE formula = 'learning rate over the recommended one'": "true",
	} {
		got := phasegrid(t, "query", "--set", set.Dir(), "--format", "csv", "SELECT * FROM ("+query+") AS t(answer)")
		if got.code != exitDone || got.stdout != "answer\n"+want+"\n" {
			t.Errorf("%s: exit code %d, %q, want %s\n%s", query, got.code, got.stdout, want, got.stderr)
		}
	}
}

// A variable that only chooses the learning rate is tuned over, as learning rates without it are,
// and shows which one was chosen.
func TestRankingsTuneOverVariables(t *testing.T) {
	const head = `
name: tuned
fixed: {covariance: spiked, dimension: 20, init_scale: 0.01}
grid: {optimizer: [gd, specgd], anisotropy: [1, 4, 16]FRACTION}
record: none
`
	const rest = "learning_rate: fraction * step_limit, steps: ceil(60 / learning_rate)"
	variable := "variables: {fraction: of the largest stable step}" +
		strings.Replace(head, "FRACTION", ", fraction: [0.0625, 0.125, 0.25, 0.5]", 1) + "derive: {" + rest + "}\n"
	plain := strings.Replace(head, "FRACTION", "", 1) + "union:\n"
	for _, fraction := range []string{"0.0625", "0.125", "0.25", "0.5"} {
		plain += "  - derive: {" + strings.Replace(rest, "fraction", fraction, 1) + "}\n"
	}
	const views = "SELECT view_name FROM duckdb_views() WHERE view_name LIKE 'crossover%'"
	const ranking = "SELECT optimizer, anisotropy, learning_rate, held_90_step, learning_rates, verdict%s " +
		"FROM best_learning_rate ORDER BY ALL"
	got, want := queried(
		t,
		variable,
		fmt.Sprintf(ranking, ", fraction > 0.06"),
	), queried(
		t,
		plain,
		fmt.Sprintf(ranking, ", true"),
	)
	if len(got) != 6 || !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if along := queried(t, variable, views); len(along) != 1 || along[0][0] != "crossover" {
		t.Error("optimizers are compared along what is tuned over")
	}
	file := filepath.Join(t.TempDir(), "tuned.svg")
	if got := phasegrid(t, "plot", runSweep(t, variable).Dir(), "--kind", "curves", "--y", "held_90_step",
		"--x", "anisotropy", "--color", "optimizer", "--to", file); got.code != exitDone {
		t.Fatal(got.stderr)
	}
	if svg, err := os.ReadFile(file); err != nil || !strings.Contains(string(svg), "the best of 4 learning rates") {
		t.Errorf("%v\n%s", err, svg)
	}
}
