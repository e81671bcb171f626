//go:build duckdb

package main

import "testing"

// Variables part the cells of views as other axes do, and the view columns says what they are.
func TestViewsHaveVariables(t *testing.T) {
	set := runSweep(t, multiplied)
	for query, want := range map[string]string{
		"SELECT count(*) FROM phase_diagram WHERE multiplier = 0.5":                             "6",
		"SELECT sum(replicates) FROM phase_diagram WHERE setting = 'muon' AND multiplier = 4":   "3",
		"SELECT count(*) FROM best_learning_rate WHERE multiplier < 0.4":                        "6",
		"SELECT count(DISTINCT multiplier) FROM escape":                                         "5",
		"SELECT count(*) FROM crossover":                                                        "3",
		"SELECT count(*) FROM columns WHERE formula = 'learning rate over the recommended one'": "1",
	} {
		got := phasegrid(t, "query", "--set", set.Dir(), "--format", "csv", "SELECT * FROM ("+query+") AS t(answer)")
		if got.code != exitDone || got.stdout != "answer\n"+want+"\n" {
			t.Errorf("%s: exit code %d, %q, want %s\n%s", query, got.code, got.stdout, want, got.stderr)
		}
	}
}
