//go:build duckdb

package main

import (
	"fmt"
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
	along := queried(t, variable, "SELECT view_name FROM duckdb_views() WHERE view_name LIKE 'crossover%'")
	if len(along) != 1 {
		t.Errorf("compared along %q, want the anisotropy", along)
	}
}
