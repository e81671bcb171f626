package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/phasegrid/phasegrid/results"
)

// rateSweep is a small sweep with the learning rates 0.01 and the one given.
func rateSweep(rate string) string {
	return `
name: rates
fixed:
  {model: population, covariance: spiked, init: identity, init_scale: 0.0123, optimizer: gd, dimension: 20, steps: 40}
grid: {anisotropy: [1, 2, 3], learning_rate: [0.01, ` + rate + `]}
record: {steps: [0, 10, 40]}
`
}

func diffJSON(t *testing.T, code int, args ...string) diffView {
	t.Helper()
	got := phasegrid(t, append([]string{"diff", "-o", "json"}, args...)...)
	if got.code != code {
		t.Fatalf("exit code %d, want %d\n%s%s", got.code, code, got.stdout, got.stderr)
	}
	var view diffView
	if err := json.Unmarshal([]byte(got.stdout), &view); err != nil {
		t.Fatalf("%v\n%s", err, got.stdout)
	}
	return view
}

func TestDiffOfTwoRuns(t *testing.T) {
	a, b := runSweep(t, rateSweep("0.02")).Dir(), runSweep(t, rateSweep("0.03")).Dir()
	view := diffJSON(t, exitFailed, a, b)
	if want := (diffRowsView{OnlyInA: 3, OnlyInB: 3, Both: 3, Equal: 3}); view.Rows != want {
		t.Errorf("rows %+v, want %+v", view.Rows, want)
	}
	if view.A.Set != a || view.A.ID == view.B.ID || !strings.HasSuffix(a, view.A.ID[:8]) || !view.B.Finished {
		t.Errorf("sets %+v and %+v", view.A, view.B)
	}
	view = diffJSON(t, exitFailed, a, b, "--table", "trajectories")
	if want := (diffRowsView{OnlyInA: 9, OnlyInB: 9, Both: 9, Equal: 9}); view.Rows != want {
		t.Errorf("rows %+v, want %+v", view.Rows, want)
	}
	got := phasegrid(t, "diff", a, b)
	if !strings.Contains(got.stdout, "points: 3 rows in both, 3 equal and 0 differing; 3 only in A, 3 only in B\n") ||
		!strings.Contains(got.stderr, a+" and "+b+" differ") {
		t.Errorf("%s%s", got.stdout, got.stderr)
	}
	if view := diffJSON(t, exitDone, a, a); view.Rows != (diffRowsView{Both: 6, Equal: 6}) || len(view.Columns) < 20 {
		t.Errorf("a set and itself: %+v", view)
	}
}

// writeLike writes a set like another, with rows changed by edit, as a coordinator does.
func writeLike(t *testing.T, set *results.Set, edit func(*results.PointRow)) string {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "edited")
	check(os.CopyFS(dir, os.DirFS(set.Dir())))
	b := set.Schema().NewBuilder()
	defer b.Release()
	steps := collect(t, set.Trajectories(t.Context()))
	points := collect(t, set.Points(t.Context()))
	for _, p := range points {
		edit(&p)
		check(b.AddPoint(p))
		for _, step := range steps {
			if step.Point == p.Point {
				check(b.AddTrajectory(step))
			}
		}
	}
	d, err := b.Encode()
	check(err)
	source := results.Source{
		Expectation: results.Expectation{End: points[len(points)-1].Point + 1, Points: -1},
		Open:        func(context.Context) (results.Delivery, error) { return d, nil },
	}
	_, err = set.Schema().Merge(
		t.Context(),
		[]results.Source{source},
		nil,
		func(table results.Table) (io.Writer, error) {
			return os.Create(filepath.Join(dir, filepath.FromSlash(results.PartName(table, 0))))
		},
	)
	check(err)
	return dir
}

func TestDiffShowsCells(t *testing.T) {
	set := runSweep(t, rateSweep("0.02"))
	var before float64
	edited := writeLike(t, set, func(p *results.PointRow) {
		switch p.Point {
		case 2:
			before = p.WeightNorm2
			p.WeightNorm2 = math.Nextafter(p.WeightNorm2, math.Inf(1))
		case 4:
			p.StepsRun, p.Status, p.TailLoss = 39, results.StatusFailed, math.NaN()
		}
	})
	got := phasegrid(t, "diff", set.Dir(), edited)
	if got.code != exitFailed {
		t.Errorf("exit code %d\n%s", got.code, got.stderr)
	}
	lines := map[string]bool{}
	for line := range strings.Lines(got.stdout) {
		lines[strings.Join(strings.Fields(line), " ")] = true
	}
	after := math.Nextafter(before, math.Inf(1))
	for _, want := range []string{
		"points: 6 rows in both, 4 equal and 2 differing; 0 only in A, 0 only in B",
		"COLUMN ROWS NULL IN ONE MAX ULPS MAX ABS EXAMPLE POINT",
		"status 1 0 - - 4",
		fmt.Sprintf("weight_norm2 1 0 1 %.3g 2", after-before),
		"steps_run 1 0 - 1 4",
		"POINT COLUMN A B ULPS",
		fmt.Sprintf("2 weight_norm2 %v %v 1", before, after),
		"4 status ok failed -",
		"4 steps_run 40 39 -",
	} {
		if !lines[want] {
			t.Errorf("no line %q in\n%s", want, got.stdout)
		}
	}
	view := diffJSON(t, exitFailed, set.Dir(), edited, "--columns", "weight_norm2,status", "--limit", "1")
	if len(view.Columns) != 2 || len(view.Cells) != 1 || view.Cells[0].Column != "weight_norm2" ||
		view.Cells[0].A != before || *view.Cells[0].Ulps != 1 || len(view.Cells[0].PointID) != 32 {
		t.Errorf("%+v", view)
	}
	got = phasegrid(t, "diff", set.Dir(), edited, "-o", "yaml", "--limit", "0", "--columns", "status")
	var fromYAML diffView
	if err := yaml.Unmarshal([]byte(got.stdout), &fromYAML); err != nil || fromYAML.Rows.Differing != 1 ||
		len(fromYAML.Cells) != 0 {
		t.Errorf("%v\n%s", err, got.stdout)
	}
	if view := diffJSON(t, exitDone, set.Dir(), edited, "--table", "trajectories"); view.Rows.Equal != 18 {
		t.Errorf("trajectories: %+v", view.Rows)
	}
}

func TestDiffRejectsBadUsage(t *testing.T) {
	set := runSweep(t, manyShards).Dir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{set}, "--help"},
		{[]string{set, t.TempDir()}, "not a result set"},
		{[]string{filepath.Join(set, "none"), set}, "no such directory"},
		{[]string{set, set, "--columns", "loss,lost"}, "no column lost"},
		{[]string{set, set, "--table", "shards"}, `got "shards", want points, trajectories or coefficients`},
		{[]string{set, set, "--limit", "-1"}, "got -1, want 0 or more"},
	} {
		got := phasegrid(t, append([]string{"diff"}, c.args...)...)
		if got.code != exitUsage || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%v: exit code %d\n%s", c.args, got.code, got.stderr)
		}
	}
}
