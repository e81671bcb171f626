//go:build duckdb

package views_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/results"
)

// The views in plain Go, as docs/result-set.md describes them.

// row is a row of a table or view by column: float64 for numbers, string, bool, nil for null.
type row map[string]any

func (r row) key(columns []string) string {
	var b strings.Builder
	for _, c := range columns {
		fmt.Fprintf(&b, "%s=%v ", c, r[c])
	}
	return b.String()
}

// with returns a copy of some columns.
func (r row) with(columns []string) row {
	out := row{}
	for _, c := range columns {
		out[c] = r[c]
	}
	return out
}

// groups are the rows by the given columns.
func groups(rows []row, columns []string) map[string][]row {
	out := map[string][]row{}
	for _, r := range rows {
		key := r.key(columns)
		out[key] = append(out[key], r)
	}
	return out
}

// replicates are the distinct points of each cell that are not invalid. A point keeps the settings
// of which it has one value.
func (d design) replicates(rows []row, cell []string) map[string][]row {
	out := map[string][]row{}
	for key, all := range groups(rows, cell) {
		byID := groups(all, []string{"point_id"})
		for _, id := range slices.Sorted(maps.Keys(byID)) {
			if same := byID[id]; same[0]["status"] != results.StatusInvalid {
				point := maps.Clone(same[0])
				maps.Copy(point, shown(same, d.settings()))
				out[key] = append(out[key], point)
			}
		}
	}
	return out
}

// shown are the columns that have one value in all rows, null where they do not.
func shown(rows []row, columns []string) row {
	out := row{}
	for _, c := range columns {
		out[c] = rows[0][c]
		if slices.ContainsFunc(rows, func(r row) bool { return r[c] != rows[0][c] }) {
			out[c] = nil
		}
	}
	return out
}

// times are the step numbers of a column over runs, in order; infinite where they are censored.
func times(runs []row, column string) []float64 {
	var all []float64
	for _, run := range runs {
		x, ok := run[column].(float64)
		if !ok || run["status"] != results.StatusOK && column != "diverged_step" {
			x = math.Inf(1)
		}
		all = append(all, x)
	}
	slices.Sort(all)
	return all
}

// finite counts the times that are not censored.
func finite(times []float64) float64 {
	n, _ := slices.BinarySearch(times, math.Inf(1))
	return float64(n)
}

// rank is the i-th smallest value; nil if it is censored or there is none.
func rank(sorted []float64, i int) any {
	if i < 1 || i > len(sorted) || math.IsInf(sorted[i-1], 1) {
		return nil
	}
	return sorted[i-1]
}

// lowerRank is the largest k for which fewer than k of n fair coins are heads with probability at
// most 2.5 %.
func lowerRank(n int) int {
	below, exactly := 0.0, math.Pow(0.5, float64(n)) // P(B < k), P(B = k)
	for k := 0; ; k++ {
		if below+exactly > 0.025 {
			return k
		}
		below += exactly
		exactly *= float64(n-k) / float64(k+1)
	}
}

// values are those of a column over the runs that are ok, in order; none if fewer than half are.
func values(runs []row, column string) []float64 {
	var all []float64
	ok := 0
	for _, run := range runs {
		if run["status"] != results.StatusOK {
			continue
		}
		ok++
		if x, known := run[column].(float64); known {
			all = append(all, x)
		}
	}
	if 2*ok < len(runs) {
		return nil
	}
	slices.Sort(all)
	return all
}

// interpolated is a quantile of sorted values; nil if there are none.
func interpolated(sorted []float64, tenths int) any {
	if len(sorted) == 0 {
		return nil
	}
	at := float64(len(sorted)-1) * float64(tenths) / 10
	low, high := sorted[int(math.Floor(at))], sorted[int(math.Ceil(at))]
	return low + (high-low)*(at-math.Floor(at))
}

// quantile is that of a metric, by the convention for its kind.
func quantile(runs []row, c results.Column, tenths int) any {
	if c.Kind == results.Int64 {
		return rank(times(runs, c.Name), (len(runs)*tenths+9)/10)
	}
	return interpolated(values(runs, c.Name), tenths)
}

// interval encloses the median of a metric.
func interval(runs []row, c results.Column) (low, high any) {
	sorted := values(runs, c.Name)
	if c.Kind == results.Int64 {
		sorted = times(runs, c.Name)
	}
	k := lowerRank(len(sorted))
	if k == 0 {
		return nil, nil
	}
	return rank(sorted, k), rank(sorted, len(sorted)+1-k)
}

func withStatus(runs []row, status string) float64 {
	n := 0
	for _, run := range runs {
		if run["status"] == status {
			n++
		}
	}
	return float64(n)
}

// metrics are the columns that phase_diagram has statistics of.
func metrics() []results.Column {
	points := results.Reference()[results.Points]
	return slices.DeleteFunc(slices.Clone(points.Columns[points.Parameters:]), func(c results.Column) bool {
		return c.Kind != results.Int64 && c.Kind != results.Float64
	})
}

func (d design) phaseDiagram(rows []row) []row {
	var out []row
	for _, runs := range d.replicates(rows, d.axes()) {
		r := shown(runs, d.settings())
		maps.Copy(r, row{
			"replicates": float64(len(runs)), "ok": withStatus(runs, results.StatusOK),
			"diverged": withStatus(runs, results.StatusDiverged), "failed": withStatus(runs, results.StatusFailed),
			"escaped": finite(times(runs, "escape_step")), "reached_90": finite(times(runs, "steps_to_90")),
		})
		for _, c := range metrics() {
			r[c.Name], r[c.Name+"_q10"], r[c.Name+"_q90"] = quantile(
				runs,
				c,
				5,
			), quantile(
				runs,
				c,
				1,
			), quantile(
				runs,
				c,
				9,
			)
			if c.Kind == results.Int64 {
				r[c.Name+"_censored"] = float64(len(runs)) - finite(times(runs, c.Name))
			}
			if d.has("seed") {
				r[c.Name+"_low"], r[c.Name+"_high"] = interval(runs, c)
			}
		}
		out = append(out, r)
	}
	return out
}

func (d design) escape(rows []row) []row {
	var out []row
	for _, runs := range d.replicates(rows, d.axes()) {
		steps := times(runs, "escape_step")
		r := shown(runs, d.settings())
		maps.Copy(r, row{
			"runs": float64(len(runs)), "escaped": finite(steps), "spectral_gap": nil,
			"escape_step_censored": float64(len(runs)) - finite(steps),
			"escape_step":          rank(steps, (5*len(runs)+9)/10),
			"escape_step_q10":      rank(steps, (len(runs)+9)/10),
			"escape_step_q90":      rank(steps, (9*len(runs)+9)/10),
		})
		if d.has("learning_rate") {
			r["escape_time"] = nil
			step, escaped := r["escape_step"].(float64)
			if rate, one := r["learning_rate"].(float64); one && escaped {
				r["escape_time"] = step * rate
			}
		}
		out = append(out, r)
	}
	return out
}

// companions are the columns of best_learning_rate at the best one.
var companions = []results.Column{
	{Name: "steps_to_90", Kind: results.Int64},
	{Name: "tail_signal_alignment", Kind: results.Float64},
	{Name: "tail_loss", Kind: results.Float64},
}

func (d design) bestLearningRate(rows []row) []row {
	var out []row
	for _, runs := range d.replicates(rows, d.ranked()) {
		for i, run := range runs {
			if x, ok := run["held_90_step"].(float64); ok && 10*x > 9*run["steps_run"].(float64) {
				runs[i] = maps.Clone(run)
				runs[i]["held_90_step"] = nil
			}
		}
		rates := map[float64][]row{}
		for _, run := range runs {
			rate := run["learning_rate"].(float64)
			rates[rate] = append(rates[rate], run)
		}
		ordered := slices.Sorted(maps.Keys(rates))
		best := shown(runs, d.settings())
		for _, p := range d.parameters {
			if p.tunes {
				best[p.Name] = nil
			}
		}
		maps.Copy(best, row{
			"learning_rate": nil, "held_90_step": nil, "steps_to_90": nil, "tail_signal_alignment": nil,
			"tail_loss": nil, "at_edge": nil, "runs": float64(len(runs)), "learning_rates": float64(len(rates)),
			"censored": float64(len(runs)) - finite(times(runs, "held_90_step")),
			"verdict":  "more than half of the runs are censored at every stable learning rate",
		})
		excluded := 0
		for i, rate := range ordered {
			runs := rates[rate]
			if slices.ContainsFunc(runs, func(run row) bool { return run["unstable_step"] == true }) {
				excluded++
				continue
			}
			steps := times(runs, "held_90_step")
			x, ok := rank(steps, (5*len(runs)+9)/10).(float64)
			if shortest, any := best["held_90_step"].(float64); !ok || any && x >= shortest {
				continue
			}
			for _, p := range d.parameters {
				if p.tunes {
					maps.Copy(best, shown(runs, []string{p.Name}))
				}
			}
			best["learning_rate"], best["held_90_step"] = rate, x
			for _, c := range companions {
				best[c.Name] = quantile(runs, c, 5)
			}
			best["at_edge"] = len(ordered) > 1 && (i == 0 || i == len(ordered)-1)
			switch {
			case len(ordered) == 1:
				best["verdict"] = "one learning rate was tried"
			case i == 0:
				best["verdict"] = "the smallest learning rate that was tried"
			case i == len(ordered)-1:
				best["verdict"] = "the largest learning rate that was tried"
			default:
				best["verdict"] = "between others that were tried"
			}
		}
		if best["excluded_rates"] = float64(excluded); excluded == len(ordered) {
			best["verdict"] = "every learning rate is unstable"
		}
		out = append(out, best)
	}
	return out
}

// match is a spectral optimizer and gd on the same problem; gd has no time where it has not run.
type match struct {
	problem row
	at      float64 // the value of the axis
	t, gd   float64
	compare bool
}

// matches pairs the best rows of each spectral optimizer with those of gd at the same value of the
// axis, on the same problem.
func matches(best []row, axis string, held []string) []match {
	time := func(r row) float64 {
		if t, ok := r["held_90_step"].(float64); ok {
			return t
		}
		return math.Inf(1)
	}
	var out []match
	onProblem := groups(slices.DeleteFunc(slices.Clone(best), func(r row) bool { return r["optimizer"] != "gd" }), held)
	for _, s := range best {
		if !slices.Contains([]string{"specgd", "power", "muon"}, s["optimizer"].(string)) {
			continue
		}
		met := map[float64]match{}
		if x, ok := s[axis].(float64); ok {
			met[x] = match{s, x, time(s), 0, false}
		}
		for _, g := range onProblem[s.key(held)] {
			at, ok := s[axis].(float64)
			other, ok2 := g[axis].(float64)
			if ok && ok2 && at != other || !ok && !ok2 {
				continue
			}
			if !ok {
				at = other
			}
			m, known := met[at]
			if !known || !m.compare {
				m = match{s, at, time(s), math.Inf(1), true}
			}
			m.gd = min(m.gd, time(g))
			met[at] = m
		}
		out = slices.AppendSeq(out, maps.Values(met))
	}
	return out
}

// crossover are the rows of the view along one axis.
func (d design) crossover(best []row, axis string) []row {
	held, apart := d.held(axis)
	held, apart = append(held, "optimizer"), append(apart, "optimizer")
	byProblem := map[string][]match{}
	for _, m := range matches(best, axis, held[:len(held)-1]) {
		key := m.problem.key(apart)
		byProblem[key] = append(byProblem[key], m)
	}
	var out []row
	for _, all := range byProblem {
		var problems []row
		spectral, gd := map[float64]float64{}, map[float64]float64{}
		for _, m := range all {
			problems = append(problems, m.problem)
			if !m.compare {
				continue
			}
			if _, known := gd[m.at]; !known {
				spectral[m.at], gd[m.at] = math.Inf(1), math.Inf(1)
			}
			spectral[m.at], gd[m.at] = min(spectral[m.at], m.t), min(gd[m.at], m.gd)
		}
		for _, r := range changes(axis, gd, spectral) {
			maps.Copy(r, shown(problems, held))
			out = append(out, r)
		}
	}
	return out
}

// changes are the changes of the lead along an axis, or a row that says why there is none.
func changes(axis string, gd, spectral map[float64]float64) []row {
	var xs []float64 // where one of the two arrives
	for _, x := range slices.Sorted(maps.Keys(gd)) {
		if !math.IsInf(gd[x], 1) || !math.IsInf(spectral[x], 1) {
			xs = append(xs, x)
		}
	}
	advantage := func(x float64) float64 { return math.Log(max(gd[x], 1)) - math.Log(max(spectral[x], 1)) }
	ahead := func(x float64) bool { return advantage(x) > 0 }
	var out []row
	for i := 1; i < len(xs); i++ {
		a, b := xs[i-1], xs[i]
		if ahead(a) == ahead(b) {
			continue
		}
		r := row{axis: nil, axis + "_below": a, axis + "_above": b, "direction": "falls behind",
			"verdict": "between two neighbours, censored at one"}
		if ahead(b) {
			r["direction"] = "overtakes"
		}
		if x, y := advantage(a), advantage(b); !math.IsInf(x, 0) && !math.IsInf(y, 0) {
			r["verdict"] = "interpolated"
			r[axis] = a + (b-a)*x/(x-y)
			if a > 0 {
				r[axis] = math.Exp(math.Log(a) + (math.Log(b)-math.Log(a))*x/(x-y))
			}
		}
		out = append(out, r)
	}
	n := float64(len(out))
	if n == 0 {
		r := row{axis: nil, axis + "_below": nil, axis + "_above": nil, "direction": nil}
		switch {
		case len(gd) == 0:
			r["verdict"] = "gd has no run of this problem"
		case len(xs) == 0:
			r["verdict"] = "no " + axis + " at which one of the two has a held time"
		case ahead(xs[0]):
			r["verdict"] = "ahead at every " + axis
		default:
			r["verdict"] = "ahead at no " + axis
		}
		out = []row{r}
	}
	for _, r := range out {
		r["changes"] = n
	}
	return out
}

func failures(rows []row, parameters []string) []row {
	columns := append([]string{"point", "point_id", "status", "detail", "diverged_step", "unstable_step",
		"resonant_step"}, parameters...)
	var out []row
	for _, r := range rows {
		if r["status"] != results.StatusOK {
			out = append(out, r.with(columns))
		}
	}
	return out
}
