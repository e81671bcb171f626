package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
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
	if left, err := filepath.Glob(filepath.Join(folder, ".writing-*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Without flags plot draws the figures of the sweep file, those of its latest run: they can be
// edited after the sweep is done.
func TestPlotDrawsTheFiguresOfTheSweep(t *testing.T) {
	const figures = "figures: [{name: peaks, kind: curves, x: anisotropy, y: peak_spike_alignment}, " +
		"{kind: bars, x: optimizer}]"
	set := runSweep(t, askedSweep)
	folder, out := t.TempDir(), filepath.Dir(set.Dir())
	file := filepath.Join(folder, "figured.yaml")
	if err := os.WriteFile(file, []byte(askedSweep+"\n"+figures+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	again := phasegrid(t, "run", file, "--out", out, "--state", filepath.Join(folder, "state"))
	if again.code != exitDone || !strings.Contains(again.stdout, "finished before") {
		t.Fatalf("run: exit code %d\n%s%s", again.code, again.stdout, again.stderr)
	}
	t.Chdir(folder)
	name := filepath.Base(set.Dir())
	got := phasegrid(t, "plot", set.Dir())
	want := fmt.Sprintf("%[1]s-peaks.png\n%[1]s-peaks.svg\n%[1]s-2.png\n%[1]s-2.svg\n", name)
	if got.code != exitDone || got.stdout != want {
		t.Errorf("plot: exit code %d, printed %q; want %q\n%s", got.code, got.stdout, want, got.stderr)
	}
	for _, number := range []string{"peaks", "1"} {
		got := phasegrid(t, "plot", set.Dir(), "--figure", number, "--to", "one.svg")
		if got.code != exitDone || got.stdout != "one.svg\n" {
			t.Errorf("plot --figure %s: exit code %d\n%s", number, got.code, got.stderr)
		}
	}
	drawn, err := os.ReadFile("one.svg")
	if err != nil || !strings.Contains(string(drawn), "peak spike alignment") {
		t.Errorf("the figure has another axis: %v", err)
	}
	for _, args := range [][]string{{"--figure", "3"}, {"--to", "all.svg"}, {"--figure", "1", "--x", "dimension"}} {
		if got := phasegrid(t, append([]string{"plot", set.Dir()}, args...)...); got.code != exitUsage {
			t.Errorf("%v: exit code %d\n%s", args, got.code, got.stderr)
		}
	}
}
