package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/fit"
)

// fitted runs fit and returns its groups by their values, such as "gd 100".
func fitted(t *testing.T, args ...string) map[string]fitGroupView {
	t.Helper()
	got := phasegrid(t, append([]string{"fit", "-o", "json"}, args...)...)
	var view fitView
	if err := json.Unmarshal([]byte(got.stdout), &view); err != nil || got.code != exitDone {
		t.Fatalf("fit %v: exit code %d, %v\n%s", args, got.code, err, got.stderr)
	}
	inOrder := slices.IsSortedFunc(view.Groups, func(a, b fitGroupView) int {
		for _, name := range view.By {
			x, number := a.Group[name].(float64)
			y, _ := b.Group[name].(float64)
			if c := cmp.Compare(x, y); number && c != 0 {
				return c
			}
			if c := cmp.Compare(fmt.Sprint(a.Group[name]), fmt.Sprint(b.Group[name])); !number && c != 0 {
				return c
			}
		}
		return 0
	})
	if !inOrder {
		t.Errorf("fit %v: groups are out of order", args)
	}
	groups := map[string]fitGroupView{}
	for _, g := range view.Groups {
		var values []string
		for _, name := range view.By {
			values = append(values, fmt.Sprint(g.Group[name]))
		}
		groups[strings.Join(values, " ")] = g
	}
	return groups
}

func within(t *testing.T, name string, got *float64, low, high float64) {
	t.Helper()
	if got == nil || *got < low || *got > high {
		t.Errorf("%s: got %s, want %v..%v", name, orDash("%v", got), low, high)
	}
}

func exampleSet(t *testing.T, name string) *results.Set {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("../../sweep/examples", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return runSweep(t, string(file))
}

// TestFitServesTheExponentsOfTheClaims: 1 - alignment of gd is 3/(4 lr k), spectral steps grow like
// the root of the dimension, and rates of growth are ln(1 + 3 lr).
func TestFitServesTheExponentsOfTheClaims(t *testing.T) {
	dir := exampleSet(t, "noise-contraction").Dir()
	groups := fitted(t, dir, "--y", "1 - signal_alignment", "--x", "learning_rate * step", "--from", "20")
	if len(groups) != 20 { // two optimizers, two dimensions, five anisotropies; rates and steps are derived
		t.Errorf("got groups %v", groups)
	}
	tail := groups["gd 1000 2"]
	within(t, "gd: exponent of the noise", tail.Slope, -1.02, -0.98)
	within(t, "gd: prefactor of the noise", tail.Prefactor, 0.7, 0.8)
	within(t, "gd: window", tail.First, 20, 22)
	if specgd := groups["specgd 1000 2"]; specgd.Slope != nil || specgd.Points != 0 || specgd.LeftOut.Outside == 0 {
		t.Errorf("specgd ends before the window: %+v", specgd)
	}
	steps := fitted(t, dir, "--y", "held_99_step", "--x", "dimension", "--where", "optimizer == 'specgd'")
	for group, g := range steps {
		within(t, "specgd: exponent of steps in the dimension, anisotropy "+group, g.Slope, 0.49, 0.51)
		if g.Low != nil || g.StandardError != nil {
			t.Errorf("two points have an interval: %+v", g)
		}
	}
	dir = exampleSet(t, "growth-rates").Dir()
	for group, g := range fitted(t, dir, "--y", "signal_coefficient", "--x", "step", "--x-scale", "linear", "--by",
		"learning_rate") {
		var rate float64
		if _, err := fmt.Sscan(group, &rate); err != nil {
			t.Fatal(err)
		}
		within(t, "rate of growth of the signal", g.Slope, 0.99*math.Log1p(3*rate), 1.01*math.Log1p(3*rate))
	}
}

// pageFit is a fit on a page with the table that it prints.
var pageFit = regexp.MustCompile("(?s)```\nphasegrid (fit [^`]*)```\n```\n([^`]*)```")

// TestFitsOnPages runs the fits of the page and compares what they print with what it shows.
func TestFitsOnPages(t *testing.T) {
	text, err := os.ReadFile("../../docs/result-set.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := exampleSet(t, "noise-contraction").Dir()
	fits := pageFit.FindAllStringSubmatch(string(text), -1)
	for _, f := range fits {
		var args []string
		for _, arg := range regexp.MustCompile(`"[^"]*"|[^\s\\]+`).FindAllString(f[1], -1) {
			args = append(args, strings.Trim(arg, `"`))
		}
		if !strings.HasPrefix(args[1], "results/noise-contraction-") {
			t.Fatalf("the page fits %s", args[1])
		}
		args[1] = dir
		if got := phasegrid(t, args...); got.code != exitDone || got.stdout != f[2] {
			t.Errorf("%s printed\n%s%swant\n%s", f[1], got.stdout, got.stderr, f[2])
		}
	}
	if len(fits) < 2 {
		t.Errorf("the page has %d fits", len(fits))
	}
}

// replicateSweep has step numbers of which some are censored, and diverged runs.
const replicateSweep = `
name: spread
fixed: {model: online, covariance: spiked, init: gaussian, width: 3, batch_size: 20, init_scale: 0.3, steps: 30}
grid: {optimizer: [gd, specgd], anisotropy: [0.5, 1, 2, 4, 8], dimension: [5, 20]}
derive: {learning_rate: "optimizer == 'gd' ? 0.6 / (1 + anisotropy) : 0.05"}
replicates: 5
record: {every: 10}
`

// TestFitCountsReplicatesAsTheViewsDo fits anew what fit reports, from the rows.
func TestFitCountsReplicatesAsTheViewsDo(t *testing.T) {
	set := runSweep(t, replicateSweep)
	rows := collect(t, set.Points(t.Context()))
	at := func(name string) int {
		return slices.IndexFunc(set.Schema().Parameters(), func(c results.Column) bool { return c.Name == name })
	}
	type cell struct {
		group      string
		anisotropy float64
	}
	steps, losses := map[cell][]float64{}, map[cell][]float64{}
	diverged, late := 0, 0
	for _, r := range rows {
		c := cell{fmt.Sprint(r.Parameters[at("dimension")].Int), r.Parameters[at("anisotropy")].Float}
		c.group = r.Parameters[at("optimizer")].Text + " " + c.group
		step := math.Inf(1)
		if r.StepsTo90 >= 0 && r.Status == results.StatusOK {
			step = float64(r.StepsTo90)
		} else if late++; r.Status != results.StatusOK {
			diverged++
		}
		steps[c] = append(steps[c], step)
		if r.Status == results.StatusOK {
			losses[c] = append(losses[c], r.Loss)
		}
	}
	if late < 20 || diverged < 5 || diverged > late-5 {
		t.Fatalf("%d of %d runs are late, %d of them diverged", late, len(rows), diverged)
	}
	middle := func(values []float64) float64 {
		slices.Sort(values)
		return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	}
	for _, metric := range []string{"steps_to_90", "loss"} {
		want := map[string]*fitGroupView{}
		xs, ys := map[string][]float64{}, map[string][]float64{}
		for _, c := range slices.SortedFunc(maps.Keys(steps), func(a, b cell) int {
			return cmp.Compare(a.anisotropy, b.anisotropy)
		}) {
			if want[c.group] == nil {
				want[c.group] = &fitGroupView{}
			}
			g, y := want[c.group], middle(steps[c])
			if metric == "loss" {
				if y = math.Inf(1); 2*len(losses[c]) >= len(steps[c]) {
					y = middle(losses[c])
				}
			}
			switch {
			case !math.IsInf(y, 1):
				g.Points++
				xs[c.group], ys[c.group] = append(
					xs[c.group],
					math.Log(c.anisotropy),
				), append(
					ys[c.group],
					math.Log(y),
				)
			case metric == "loss":
				g.LeftOut.Null++
			default:
				g.LeftOut.Censored++
			}
		}
		got := fitted(t, set.Dir(), "--y", metric, "--x", "anisotropy")
		if len(got) != len(want) {
			t.Errorf("%s: got groups %v, want those of %v", metric, got, want)
		}
		out := 0
		for group, w := range want {
			line, g := fit.LeastSquares(xs[group], ys[group], 0.95), got[group]
			out += w.LeftOut.Null + w.LeftOut.Censored
			if g.Points != w.Points || g.LeftOut != w.LeftOut {
				t.Errorf("%s of %s: got %+v, want %+v", metric, group, g, *w)
			}
			if g.Slope != nil {
				within(t, metric+" of "+group, g.Slope, line.Slope-1e-12, line.Slope+1e-12)
			} else if !math.IsNaN(line.Slope) {
				t.Errorf("%s of %s: got no slope, want %v", metric, group, line.Slope)
			}
		}
		if out == 0 {
			t.Errorf("%s: nothing is left out", metric)
		}
	}
	checkIterates(t, set)
	// Invalid points are no runs.
	edited := writeLike(t, set, func(r *results.PointRow) {
		if r.Point%2 == 0 {
			r.Status, r.Representation, r.Detail = results.StatusInvalid, "", "width must be at least 1"
		}
	})
	valid := 0
	for _, g := range fitted(t, edited, "--y", "loss", "--x", "anisotropy", "--rows", "--by", "optimizer") {
		valid += g.Points + g.LeftOut.Null
	}
	if valid != len(rows)/2 {
		t.Errorf("got %d rows, want the %d valid ones", valid, len(rows)/2)
	}
	// Each row by itself: what is censored is counted by row.
	points, censored := 0, 0
	for _, g := range fitted(t, set.Dir(), "--y", "steps_to_90", "--x", "anisotropy", "--rows", "--by", "optimizer") {
		points, censored = points+g.Points+g.LeftOut.NotPositive, censored+g.LeftOut.Censored
	}
	if points != len(rows)-late || censored != late {
		t.Errorf("got %d rows and %d censored, want %d and %d", points, censored, len(rows)-late, late)
	}
}

// checkIterates compares the points of a fit to iterates with the rows: a median has at least half
// of the runs of its group, those that diverged before included.
func checkIterates(t *testing.T, set *results.Set) {
	t.Helper()
	recorded := map[int64]map[int64]bool{}
	for _, r := range collect(t, set.Trajectories(t.Context())) {
		if recorded[r.Point] == nil {
			recorded[r.Point] = map[int64]bool{}
		}
		recorded[r.Point][r.Step] = !math.IsNaN(r.Loss)
	}
	type group struct{ present, steps map[int64]int }
	groups := map[string]*group{}
	for _, r := range collect(t, set.Points(t.Context())) {
		key := ""
		for i, c := range set.Schema().Parameters() {
			if slices.Contains([]string{"optimizer", "dimension", "anisotropy"}, c.Name) {
				key += fmt.Sprint(r.Parameters[i])
			}
		}
		if groups[key] == nil {
			groups[key] = &group{map[int64]int{}, map[int64]int{}}
		}
		for step, present := range recorded[r.Point] {
			if groups[key].steps[step]++; present {
				groups[key].present[step]++
			}
		}
	}
	points, null := 0, 0
	for _, g := range groups {
		for step := range g.steps {
			if 2*g.present[step] >= 5 {
				points++
			} else {
				null++
			}
		}
	}
	fits := fitted(t, set.Dir(), "--y", "loss", "--x", "step", "--x-scale", "linear", "--table", "trajectories")
	for _, g := range fits {
		points, null = points-g.Points, null-g.LeftOut.Null
	}
	if points != 0 || null != 0 {
		t.Errorf("fit has %d points and %d nulls less than the rows", points, null)
	}
}

// longSweep records more iterates than a robust fit takes.
const longSweep = `
name: long
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, optimizer: gd, anisotropy: 1,
  steps: 4100}
zip: {learning_rate: [0.001, 0.002], dimension: [10, 20]}
record: {every: 1}
`

func TestFitCountsWhatIsOutsideWindowAndScale(t *testing.T) {
	set := runSweep(t, longSweep)
	all := fitted(t, set.Dir(), "--y", "loss", "--x", "step")
	if len(all) != 2 { // by the dimension, which the learning rate goes with
		t.Fatalf("got groups %v", all)
	}
	g := all["20"]
	if want := (fitLeftOutView{NotPositive: 1}); g.Points != 4100 || g.LeftOut != want || *g.First != 1 {
		t.Errorf("step 0 on a log scale: got %+v", g)
	}
	g = fitted(t, set.Dir(), "--y", "loss", "--x", "step", "--from", "10", "--to", "20")["20"]
	if want := (fitLeftOutView{Outside: 4090}); g.Points != 11 || g.LeftOut != want || *g.First != 10 || *g.Last != 20 {
		t.Errorf("window: got %+v", g)
	}
	below := 0
	points := collect(t, set.Points(t.Context()))
	for _, r := range collect(t, set.Trajectories(t.Context())) {
		if r.Point == points[1].Point && r.SignalAlignment <= 0.5 {
			below++
		}
	}
	g = fitted(t, set.Dir(), "--y", "signal_alignment - 0.5", "--x", "step", "--x-scale", "linear")["20"]
	if want := (fitLeftOutView{NotPositive: below}); below == 0 || g.Points != 4101-below || g.LeftOut != want {
		t.Errorf("below the level: got %+v, want %+v", g, want)
	}
	got := phasegrid(t, "fit", set.Dir(), "--y", "loss", "--x", "step", "--robust")
	if got.code != exitFailed || !strings.Contains(got.stderr, "got 4100 points in a group, want at most 4000") {
		t.Errorf("robust: exit code %d, %s", got.code, got.stderr)
	}
}

// TestFitKeepsReplicatesTogether: a teacher that derive draws from the seed parts no groups.
func TestFitKeepsReplicatesTogether(t *testing.T) {
	set := runSweep(t, `
name: teachers
fixed: {model: population, covariance: power_law, exponent: 2, teacher: random, width: 1, init: sphere, init_scale: 1,
  optimizer: gd, learning_rate: 0.04, steps: 20}
grid: {dimension: [10, 20, 40]}
derive: {teacher_seed: seed + 5}
replicates: 3
`)
	groups := fitted(t, set.Dir(), "--y", "loss", "--x", "dimension")
	if len(groups) != 1 || groups[""].Points != 3 {
		t.Errorf("got groups %v", groups)
	}
}

// TestFitNamesWhatIsVaried: of parameters that go together, the number of steps names no group.
func TestFitNamesWhatIsVaried(t *testing.T) {
	set := runSweep(t, `
name: together
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, optimizer: gd, dimension: 20,
  learning_rate: 0.01}
zip: {steps: [20, 40], anisotropy: [1, 2]}
record: {every: 1}
`)
	groups := fitted(t, set.Dir(), "--y", "loss", "--x", "step", "--x-scale", "linear")
	if len(groups) != 2 || groups["1"].Points != 21 || groups["2"].Points != 41 {
		t.Errorf("got groups %v, want those of the anisotropies 1 and 2", groups)
	}
}

// tunedSet is the example tuned-comparison with two starts of nine and a fifth of the rates.
func tunedSet(t *testing.T) *results.Set {
	t.Helper()
	file, err := os.ReadFile("../../sweep/examples/tuned-comparison.yaml")
	if err != nil {
		t.Fatal(err)
	}
	starts := "start: {logspace: {from: 0.0001, to: 0.01, num: 9}}"
	if !strings.Contains(string(file), starts) || !strings.Contains(string(file), "num: 150") {
		t.Fatal("the example has other axes")
	}
	return runSweep(t, strings.NewReplacer(starts, "start: [0.001, 0.01]", "num: 150", "num: 30").Replace(string(file)))
}

// TestFitTakesTheBestLearningRate: the time of tuned gd grows with the anisotropy and hardly with
// the dimension, that of tuned specgd the other way round, so that their crossover grows.
func TestFitTakesTheBestLearningRate(t *testing.T) {
	set := tunedSet(t)
	where := []string{"--y", "held_90_step", "--where", "start == 0.001"}
	overDimension := fitted(t, append(where, set.Dir(), "--x", "dimension")...)
	overAnisotropy := fitted(t, append(where, set.Dir(), "--x", "anisotropy", "--from", "8")...)
	if len(overDimension) != 16 || len(overAnisotropy) != 6 {
		t.Errorf("got %d and %d groups, want two optimizers and 8 anisotropies or 3 dimensions",
			len(overDimension), len(overAnisotropy))
	}
	for group, g := range overDimension {
		if strings.HasPrefix(group, "gd ") {
			within(t, "exponent in the dimension, "+group, g.Slope, 0, 0.15)
		} else {
			within(t, "exponent in the dimension, "+group, g.Slope, 0.4, 0.9)
		}
	}
	best := map[string]float64{}
	at := func(r results.PointRow, name string) results.Cell {
		return r.Parameters[slices.IndexFunc(set.Schema().Parameters(), func(c results.Column) bool {
			return c.Name == name
		})]
	}
	for _, r := range collect(t, set.Points(t.Context())) {
		key := fmt.Sprintf("%s %d %v", at(r, "optimizer").Text, at(r, "dimension").Int, at(r, "anisotropy").Float)
		step := float64(r.Held90Step)
		if at(r, "start").Float == 0.001 && !r.UnstableStep && step >= 0 && step <= 0.9*float64(r.StepsRun) &&
			(best[key] == 0 || step < best[key]) {
			best[key] = step
		}
	}
	for group, g := range overAnisotropy {
		low, high := 0.8, 1.
		if strings.HasPrefix(group, "specgd ") {
			low, high = -0.2, 0.2
		}
		within(t, "exponent in the anisotropy, "+group, g.Slope, low, high)
		var x, y []float64
		for _, anisotropy := range []float64{8, 16, 32, 64, 128} {
			x = append(x, math.Log(anisotropy))
			y = append(y, math.Log(best[fmt.Sprintf("%s %v", group, anisotropy)]))
		}
		slope := fit.LeastSquares(x, y, 0.95).Slope
		within(t, "slope over the best rates of the rows, "+group, g.Slope, slope-1e-12, slope+1e-12)
	}
	// Groups that are named have the best rates, too.
	pooled := fitted(t, set.Dir(), "--y", "held_90_step", "--x", "dimension", "--by", "optimizer",
		"--where", "start == 0.001 and anisotropy == 8")
	for group, g := range pooled {
		if want := overDimension[group+" 8"]; !reflect.DeepEqual(g.Slope, want.Slope) || g.Points != 3 {
			t.Errorf("by optimizer, %s: got %+v, want %+v", group, g, want)
		}
	}
	// One line for each rate where that is asked for.
	rates := fitted(t, append(where, set.Dir(), "--x", "anisotropy", "--by", "optimizer,learning_rate")...)
	if len(rates) < 50 {
		t.Errorf("got %d groups of rates", len(rates))
	}
	got := phasegrid(t, append([]string{"fit", set.Dir(), "--x", "dimension"}, where...)...)
	if !strings.Contains(got.stdout, ", at the best learning rate by held_90_step, where start == 0.001\n") {
		t.Errorf("got\n%s", got.stdout)
	}
}

// TestFitCountsEqualPointsOnce: without randomness, replicates are one point, as in the views.
func TestFitCountsEqualPointsOnce(t *testing.T) {
	set := runSweep(t, `
name: twice
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, optimizer: gd, steps: 40}
grid: {dimension: [10, 20, 40], momentum: [0.5, 0.9], anisotropy: [1]}
derive: {learning_rate: 0.1 / sqrt(dimension)}
`)
	if n := len(collect(t, set.Points(t.Context()))); n != 6 {
		t.Fatalf("got %d points", n)
	}
	g := fitted(t, set.Dir(), "--y", "loss", "--x", "dimension", "--rows")
	if len(g) != 1 || g[""].Points != 3 {
		t.Errorf("momentum has no effect on gd; got %+v", g)
	}
}

func TestFitMistakes(t *testing.T) {
	set := runSweep(t, rateSweep("0.02"))
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--y", "loss"}, "--y and --x are required"},
		{[]string{"--y", "loss", "--x", "lambda"}, "unknown name lambda"},
		{[]string{"--y", "loss", "--x", "optimizer"}, "got a string, want a number"},
		{[]string{"--y", "loss", "--x", "anisotropy", "--by", "rate"}, "part groups by rate: points has no such"},
		{[]string{"--y", "loss", "--x", "anisotropy", "--where", "optimizer = 'gd'"}, "read the condition"},
		{[]string{"--y", "loss", "--x", "anisotropy", "--x-scale", "ln"}, `--x-scale: got "ln", want log or linear`},
		{[]string{"--y", "loss", "--x", "anisotropy", "--table", "shards"}, `--table: got "shards"`},
		{[]string{"--y", "loss", "--x", "anisotropy", "--confidence", "95"}, "confidence: got 95, want"},
		{[]string{"--y", "loss", "--x", "anisotropy", "--from", "3", "--to", "2"}, "got from 3 to 2, want from <= to"},
		{[]string{"--y", "loss", "--x", "anisotropy", "--live", "rates"}, "--live and DIR exclude each other"},
	} {
		got := phasegrid(t, append([]string{"fit", set.Dir()}, test.args...)...)
		if got.code != exitUsage || !strings.Contains(got.stderr, test.want) || got.stdout != "" {
			t.Errorf("%v: exit code %d, %s%s; want %q", test.args, got.code, got.stdout, got.stderr, test.want)
		}
	}
	got := phasegrid(t, "fit", set.Dir(), "--y", "loss", "--x", "anisotropy", "--from", "100")
	if got.code != exitFailed || !strings.Contains(got.stderr, "no group has two points with different x; pool") {
		t.Errorf("an empty window: exit code %d, %s", got.code, got.stderr)
	}
	got = phasegrid(t, "fit", filepath.Join(set.Dir(), "none"), "--y", "loss", "--x", "step")
	if got.code != exitUsage {
		t.Errorf("no directory: exit code %d, %s", got.code, got.stderr)
	}
}

func TestFitLiveSeesCommittedRows(t *testing.T) {
	out := t.TempDir()
	address := startCoordinator(t, out)
	submitted := phasegrid(t, "submit", writeSweep(t, rateSweep("0.02")), "--coordinator", address)
	if submitted.code != exitDone {
		t.Fatalf("submit: %s", submitted.stderr)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan outcomeOf, 1)
	go func() { ended <- phasegridWith(ctx, nil, nil, "node", "--coordinator", address, "--slots", "1") }()
	if got := phasegrid(t, "watch", "rates", "--coordinator", address); got.code != exitDone {
		t.Errorf("watch: %d %s", got.code, got.stderr)
	}
	stop()
	<-ended
	fit := []string{"--y", "loss", "--x", "anisotropy"}
	live := fitted(t, append(fit, "--live", "rates", "--coordinator", address)...)
	if want := fitted(t, append(fit, runSweep(t, rateSweep("0.02")).Dir())...); !reflect.DeepEqual(live, want) {
		t.Errorf("got %v, want %v", live, want)
	}
}
