package main

import (
	"encoding/hex"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
)

// askedSweep is a small sweep with excluded points, seeds and diverging runs, for the commands that
// read result sets.
const askedSweep = `
name: asked
fixed: {model: population, covariance: spiked, dimension: 12, width: 3,
  init: gaussian, init_scale: 0.05, steps: 60, seed: 5}
grid:
  optimizer: [gd, specgd]
  anisotropy: [1, 3, 10, 30]
  learning_rate: [0.01, 0.02, 0.9]
where: not (optimizer == 'specgd' and learning_rate > 0.5)
replicates: 2
record: {log: 10}
`

func TestExplainedPointIsComputedAgain(t *testing.T) {
	set := runSweep(t, askedSweep)
	got := phasegrid(t, "explain", set.Dir(), "5", "-o", "json")
	var view explainView
	if got.code != exitDone || json.Unmarshal([]byte(got.stdout), &view) != nil {
		t.Fatalf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if view.Origin == nil || view.Origin.Node == "" || view.Origin.Kernel == "" {
		t.Errorf("origin %+v", view.Origin)
	}
	again := runSweep(t, phasegrid(t, "explain", set.Dir(), "5", "--sweep").stdout)
	var want, have results.PointRow
	for _, row := range collect(t, set.Points(t.Context())) {
		if row.Point == 5 {
			want = row
		}
	}
	have = collect(t, again.Points(t.Context()))[0]
	if hex.EncodeToString(have.PointID[:]) != view.PointID || have.PointID != want.PointID || have.Loss != want.Loss ||
		have.SignalAlignment != want.SignalAlignment {
		t.Errorf(
			"computed again %x %v %v, was %x %v %v",
			have.PointID,
			have.Loss,
			have.SignalAlignment,
			want.PointID,
			want.Loss,
			want.SignalAlignment,
		)
	}
	if steps := len(collect(t, again.Trajectories(t.Context()))); steps == 0 {
		t.Error("computed again without its trajectory")
	}
	for args, code := range map[string]int{"-1": exitUsage, "x": exitUsage, "1000000": exitUsage, "46": exitUsage} {
		if got := phasegrid(t, "explain", set.Dir(), "--", args); got.code != code {
			t.Errorf("explain %s: exit code %d; want %d\n%s", args, got.code, code, got.stderr)
		}
	}
	if got := phasegrid(t, "explain", t.TempDir(), "1"); got.code != exitFailed ||
		!strings.Contains(got.stderr, "not a result set") {
		t.Errorf("explain of an empty folder: %d %s", got.code, got.stderr)
	}
}

func TestPlotWritesWhatItIsAskedFor(t *testing.T) {
	set := runSweep(t, askedSweep)
	folder := t.TempDir()
	image, drawing := filepath.Join(folder, "a.png"), filepath.Join(folder, "b.svg")
	got := phasegrid(
		t,
		"plot",
		set.Dir(),
		"--to",
		image,
		"--to",
		drawing,
		"--x",
		"anisotropy",
		"--color",
		"optimizer",
		"--y",
		"peak_spike_alignment",
		"--kind",
		"curves",
	)
	if got.code != exitDone || got.stdout != image+"\n"+drawing+"\n" {
		t.Fatalf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	f, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if config, err := png.DecodeConfig(f); err != nil || config.Width < 500 {
		t.Errorf("%+v, %v", config, err)
	}
	svg, err := os.ReadFile(drawing)
	if err != nil || !strings.Contains(string(svg), "specgd") {
		t.Errorf("the drawing has no legend: %v", err)
	}
	for _, args := range [][]string{{"--to", "a.gif"}, {"--kind", "pie"}, {"--x", "nosuch"}, {"--where", "1 +"}} {
		if got := phasegrid(t, append([]string{"plot", set.Dir()}, args...)...); got.code != exitUsage {
			t.Errorf("%v: exit code %d\n%s", args, got.code, got.stderr)
		}
	}
	if left, err := filepath.Glob(filepath.Join(folder, ".plot-*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
