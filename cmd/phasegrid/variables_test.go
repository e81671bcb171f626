package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
)

// multiplied is a sweep over multiples of a recommended step, with a setting that has a name.
const multiplied = `
name: multiplied
variables:
  multiplier: learning rate over the recommended one
  setting: which settings
fixed: {covariance: spiked, anisotropy: 3, steps: 20, init_scale: 0.01}
grid:
  dimension: [16, 32, 64]
  multiplier: [0.25, 0.5, 1, 2, 4]
  setting: [{name: "gd, plain", optimizer: gd}, {name: muon, optimizer: muon}]
derive: {learning_rate: multiplier * 0.0207 / sqrt(dimension)}
where: multiplier < 4 or setting == "muon"
record: {every: 10}
`

// plainRates has the points of multiplied with dimension 16, without its variables.
const plainRates = `
name: multiplied
fixed: {covariance: spiked, anisotropy: 3, steps: 20, init_scale: 0.01, dimension: 16}
grid:
  optimizer: [gd, muon]
  learning_rate: [0.00129375, 0.0025875, 0.005175, 0.01035]
record: {every: 10}
`

// A variable is a column of the points with its meaning, and commands take it as any other column.
func TestVariablesAreColumns(t *testing.T) {
	set := runSweep(t, multiplied)
	columns := set.Schema().Parameters()
	multiplier, setting := len(columns)-2, len(columns)-1
	if c := columns[multiplier]; c.Name != "multiplier" || c.Kind != results.Float64 || !c.Nullable ||
		c.Doc != "learning rate over the recommended one" {
		t.Errorf("column %+v", c)
	}
	if c := columns[setting]; c.Name != "setting" || c.Kind != results.String || c.Doc != "which settings" {
		t.Errorf("column %+v", c)
	}
	rows := collect(t, set.Points(t.Context()))
	if len(rows) != 27 {
		t.Fatalf("%d points, want 27", len(rows))
	}
	var got []string
	for _, row := range rows[:9] { // of the first dimension
		got = append(got, fmt.Sprint(row.Parameters[multiplier].Float, " ", row.Parameters[setting].Text))
	}
	if want := []string{
		"0.25 gd, plain", "0.25 muon", "0.5 gd, plain", "0.5 muon", "1 gd, plain", "1 muon", "2 gd, plain", "2 muon",
		"4 muon",
	}; !slices.Equal(got, want) {
		t.Errorf("variables %q, want %q", got, want)
	}
	if got := phasegrid(t, "verify", set.Dir()); got.code != exitDone {
		t.Errorf("verify: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := phasegrid(t, "columns", set.Dir()); got.code != exitDone ||
		!strings.Contains(got.stdout, "learning rate over the recommended one") {
		t.Errorf("columns: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	for _, flags := range []string{
		"", "--x multiplier", "--kind phase --x multiplier --y dimension --facet setting",
		"--kind curves --x multiplier --y tail_loss --color setting", "--kind trajectories --color multiplier",
	} {
		to := filepath.Join(t.TempDir(), "figure.svg")
		args := append([]string{"plot", set.Dir(), "--to", to}, strings.Fields(flags)...)
		if got := phasegrid(t, args...); got.code != exitDone {
			t.Errorf("plot %s: exit code %d\n%s", flags, got.code, got.stderr)
		}
		if data, err := os.ReadFile(to); err != nil || strings.Contains(flags, "multiplier") &&
			!strings.Contains(string(data), "multiplier") {
			t.Errorf("plot %s: %v, does not show the multiplier", flags, err)
		}
	}
}

func TestExplainedVariables(t *testing.T) {
	set := runSweep(t, multiplied)
	row := collect(t, set.Points(t.Context()))[4]
	point := fmt.Sprint(row.Point)
	if got := phasegrid(t, "explain", set.Dir(), point); !strings.Contains(got.stdout, "which settings") {
		t.Errorf("explain does not say what a variable is:\n%s", got.stdout)
	}
	var view explainView
	if got := phasegrid(t, "explain", set.Dir(), point, "-o", "json"); json.Unmarshal(
		[]byte(got.stdout),
		&view,
	) != nil {
		t.Fatal(got.stdout, got.stderr)
	}
	values := map[string]namedValue{}
	for _, v := range view.Parameters {
		values[v.Name] = v
	}
	if v := values["setting"]; v.Value != "gd, plain" || v.Meaning != "which settings" ||
		values["optimizer"].Meaning != "" {
		t.Errorf("explained as %+v", view.Parameters)
	}
	again := runSweep(t, view.Sweep)
	if rows := collect(t, again.Points(t.Context())); len(rows) != 1 || rows[0].PointID != row.PointID ||
		rows[0].Loss != row.Loss || len(again.Schema().Variables()) != 2 ||
		hex.EncodeToString(rows[0].PointID[:]) != view.PointID {
		t.Errorf("%s\ngives %+v, want %+v", view.Sweep, rows, row)
	}
}

// Sweeps with and without variables serve each other with rows, and can be compared.
func TestVariablesAreNoPartOfAPoint(t *testing.T) {
	for _, files := range [][2]string{{plainRates, multiplied}, {multiplied, plainRates}} {
		out, state := t.TempDir(), t.TempDir()
		var got outcomeOf
		for _, file := range files {
			if got = phasegrid(t, "run", writeSweep(t, file), "--out", out, "--state", state); got.code != exitDone {
				t.Fatalf("exit code %d\n%s", got.code, got.stderr)
			}
		}
		if want := "reused 8 of "; !strings.Contains(got.stderr, want) {
			t.Errorf("it does not say %q: %s", want, got.stderr)
		}
		sets, err := filepath.Glob(filepath.Join(out, "*"))
		if err != nil || len(sets) != 2 {
			t.Fatal(sets, err)
		}
		diff := phasegrid(t, "diff", sets[0], sets[1])
		if !strings.Contains(diff.stdout, "not compared: multiplier, setting") ||
			!strings.Contains(diff.stdout, "8 rows in both, 8 equal and 0 differing") {
			t.Errorf("diff says\n%s%s", diff.stdout, diff.stderr)
		}
	}
}

func TestVariablesOnSeveralNodes(t *testing.T) {
	t.Setenv(asProgram, "1")
	// Steps far apart end shards, so that there are several.
	text := strings.Replace(multiplied, "steps: 20, ", "", 1)
	text = strings.Replace(text, "dimension: [16, 32, 64]", "dimension: [16, 32, 64]\n  steps: [50, 100000000]", 1)
	text = strings.Replace(text, "multiplier * 0.0207 / sqrt(dimension)",
		`"steps > 1000 ? 5 + multiplier : multiplier * 0.0207 / sqrt(dimension)"`, 1)
	text = strings.NewReplacer("{every: 10}", "{log: 5}", "{name: muon, optimizer: muon}",
		"{name: muon, optimizer: momentum, momentum: 0.5}").Replace(text) // which diverge
	set := runSweep(t, text, "--slots", "1")
	if shards := len(collect(t, set.Shards(t.Context()))); shards < 4 {
		t.Fatalf("%d shards, want several", shards)
	}
	want := parquet(t, set.Dir())
	sameParquet(t, "two node processes", parquet(t, runSweep(t, text, "--nodes", "2", "--slots", "1").Dir()), want)
	sameParquet(t, "shards finished in shuffled order", parquet(t, runShuffled(t, text)), want)
}
