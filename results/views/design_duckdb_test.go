//go:build duckdb

package views_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// parameter is a column of a random set, with what the views must make of it.
type parameter struct {
	results.Column
	problem bool // compared optimizers share it
	tunes   bool // it only chooses the learning rate
	feeds   string
	value   func(r *rand.Rand, point row) any
}

// design is the parameters of a random set. The first one, eigenvalues, is a text that no other
// parameter depends on: sets with different texts have no cell in common, so that a result set
// holds many small ones.
type design struct{ parameters []parameter }

func (d design) has(name string) bool {
	return slices.ContainsFunc(d.parameters, func(p parameter) bool { return p.Name == name })
}

func (d design) names(wanted func(p parameter) bool) []string {
	var names []string
	for _, p := range d.parameters {
		if wanted(p) {
			names = append(names, p.Name)
		}
	}
	return names
}

// settings are the parameters but the seed.
func (d design) settings() []string {
	return d.names(func(p parameter) bool { return p.Name != "seed" })
}

// axes part the cells of phase_diagram.
func (d design) axes() []string {
	return d.names(func(p parameter) bool { return p.Name != "seed" && !p.Derived })
}

// ranked part the cells of best_learning_rate.
func (d design) ranked() []string {
	return d.names(func(p parameter) bool {
		return p.Name != "seed" && !p.Derived && !p.tunes && p.Name != "learning_rate"
	})
}

// compared are the axes that optimizers are compared along.
func (d design) compared() []string {
	return d.names(func(p parameter) bool {
		numeric := p.Kind == results.Int64 || p.Kind == results.Float64
		other := p.Axis && !p.tunes && numeric && p.Name != "learning_rate" && p.Name != "seed"
		return p.Name == "anisotropy" || other
	})
}

// held are the parameters that compared optimizers share beside an axis, and those of them that
// part rows.
func (d design) held(axis string) (held, apart []string) {
	of := func(p parameter) bool { return p.problem && p.Name != axis && p.feeds != axis }
	return d.names(of), d.names(func(p parameter) bool { return of(p) && !p.Derived })
}

func (d design) schema() (*results.Schema, error) {
	var columns []results.Column
	for _, p := range d.parameters {
		columns = append(columns, p.Column)
	}
	return results.NewSchema(columns, results.Options{Solver: sweep.BuiltinSolver(4)})
}

// oneOf chooses from some values, or always the first if they are not an axis.
func oneOf(axis bool, values ...any) func(*rand.Rand, row) any {
	if !axis {
		values = values[:1]
	}
	return func(r *rand.Rand, _ row) any { return values[r.IntN(len(values))] }
}

// or is a number of a point, or another one where it is null.
func or(x any, other float64) float64 {
	if x, ok := x.(float64); ok {
		return x
	}
	return other
}

// randomDesign chooses parameters, which of them are axes, and which derive from which.
func randomDesign(r *rand.Rand) design {
	var d design
	chance := func(n int) bool { return r.IntN(n) == 0 }
	add := func(p parameter) { d.parameters = append(d.parameters, p) }
	axis := func(name string, kind results.Kind, problem bool, values ...any) {
		varied := !chance(4)
		add(parameter{
			Column:  results.Column{Name: name, Kind: kind, Axis: varied},
			problem: problem, value: oneOf(varied, values...),
		})
	}
	derived := func(name string, kind results.Kind, problem bool, value func(r *rand.Rand, point row) any) {
		add(parameter{Column: results.Column{Name: name, Kind: kind, Derived: true}, problem: problem, value: value})
	}
	var variables []parameter // they come last in a table, and are set first
	variable := func(name, readBy string, p parameter, values ...any) {
		p.Column = results.Column{Name: name, Kind: results.Float64, Axis: true, ReadBy: readBy}
		if _, word := values[0].(string); word {
			p.Kind = results.String
		}
		p.value = oneOf(true, values...)
		variables = append(variables, p)
	}

	optimizers := []any{"gd", "specgd", "power", "adam"}
	if chance(6) {
		optimizers = optimizers[1:]
	}
	add(parameter{Column: results.Column{Name: "eigenvalues", Kind: results.String}, problem: true})
	add(parameter{
		Column: results.Column{Name: "optimizer", Kind: results.String, Axis: true}, value: oneOf(true, optimizers...),
	})
	if chance(2) {
		axis("dimension", results.Int64, true, 10.0, 20.0, 40.0)
	}
	if chance(4) {
		axis("negative_units", results.Int64, true, 0.0, 1.0)
	}
	if chance(4) {
		axis("inputs", results.String, true, "gaussian", "laplace")
	}
	switch r.IntN(4) {
	case 0:
	case 1:
		variable("contrast", "anisotropy", parameter{problem: true, feeds: "anisotropy"}, 0.0, 1.0, 2.0, 4.0, nil)
		derived("anisotropy", results.Float64, true, func(_ *rand.Rand, p row) any { return 2 * or(p["contrast"], 3) })
	default:
		axis("anisotropy", results.Float64, true, -0.5, 0.0, 1.0, 3.0, 10.0)
	}
	if chance(3) {
		varied := !chance(3)
		add(parameter{
			Column: results.Column{Name: "power", Kind: results.Float64, Axis: varied},
			value: func(r *rand.Rand, p row) any {
				if p["optimizer"] != "power" {
					return nil
				}
				return oneOf(varied, 0.0, 0.5, 1.0)(r, p)
			},
		})
	}
	if !chance(8) {
		d.rates(r, axis, derived, variable)
	}
	switch r.IntN(6) {
	case 0:
		axis("init_scale", results.Float64, true, 0.01, 0.1)
	case 1:
		derived("init_scale", results.Float64, true, func(_ *rand.Rand, p row) any { return 1 / or(p["dimension"], 5) })
	case 2:
		variable("ratio", "init_scale", parameter{problem: true}, 0.1, 1.0, nil)
		derived("init_scale", results.Float64, true, func(_ *rand.Rand, p row) any { return or(p["ratio"], 3) / 8 })
	case 3: // by the learning rate, too
		derived(
			"init_scale",
			results.Float64,
			true,
			func(_ *rand.Rand, p row) any { return or(p["learning_rate"], 1) / 8 },
		)
	case 4: // by the seed, in a few points
		derived("init_scale", results.Float64, true, func(r *rand.Rand, p row) any {
			if r.IntN(8) == 0 {
				return r.Float64()
			}
			return 0.5
		})
	}
	if chance(3) {
		variable("setting", "", parameter{}, "a", "b", nil)
	}
	if !chance(4) {
		add(parameter{
			Column: results.Column{Name: "seed", Kind: results.Int64, Axis: true},
			value:  oneOf(true, 1.0, 2.0, 3.0, 4.0, nil),
		})
	}
	slices.SortFunc(variables, func(a, b parameter) int { return -slices.Compare([]byte(b.Name), []byte(a.Name)) })
	d.parameters = append(d.parameters, variables...)
	return d
}

// rates chooses where learning rates and steps come from.
func (d *design) rates(
	r *rand.Rand,
	axis func(string, results.Kind, bool, ...any),
	derived func(string, results.Kind, bool, func(*rand.Rand, row) any),
	variable func(string, string, parameter, ...any),
) {
	switch r.IntN(4) {
	case 0, 1:
		axis("learning_rate", results.Float64, false, 0.25, 0.5, 0.75)
	case 2:
		variable("fraction", "learning_rate", parameter{tunes: true}, 0.25, 0.5, 0.75, nil)
		derived("learning_rate", results.Float64, false, func(_ *rand.Rand, p row) any {
			if p["optimizer"] == "adam" {
				return 0.01
			}
			return or(p["fraction"], 1) / (1 + math.Abs(or(p["anisotropy"], 0)))
		})
	case 3: // it chooses more than the learning rate
		variable("dose", "steps learning_rate", parameter{}, 1.0, 2.0, 3.0)
		derived("learning_rate", results.Float64, false, func(_ *rand.Rand, p row) any { return or(p["dose"], 1) / 8 })
		derived("steps", results.Int64, false, func(_ *rand.Rand, p row) any { return 40 * or(p["dose"], 1) })
		return
	}
	switch r.IntN(3) {
	case 0:
		axis("steps", results.Int64, false, 40.0, 80.0)
	case 1:
		derived(
			"steps",
			results.Int64,
			false,
			func(_ *rand.Rand, p row) any { return math.Ceil(30 / or(p["learning_rate"], 1)) },
		)
	}
}

// point draws the parameters of a point. Variables are set first, since parameters derive from
// them.
func (d design) point(r *rand.Rand) row {
	p := row{}
	for _, variables := range []bool{true, false} {
		for _, q := range d.parameters {
			if variable := slices.Contains(variableNames, q.Name); q.value != nil && variable == variables {
				p[q.Name] = q.value(r, p)
			}
		}
	}
	return p
}

var variableNames = []string{"contrast", "dose", "fraction", "ratio", "setting"}

// smallSets draws the rows of many small sets. Statuses, nulls, and points that occur several times
// are frequent.
func (d design) smallSets(r *rand.Rand, sets int) []results.PointRow {
	var rows []results.PointRow
	for set := range sets {
		first := len(rows)
		for range 1 + r.IntN(40) {
			point := d.point(r)
			out := randomRun(r, point)
			if drawn := rows[first:]; len(drawn) > 0 && r.IntN(5) == 0 {
				// The same point again: along an axis without effect, or under another variable.
				out = drawn[r.IntN(len(drawn))]
				out.Parameters = slices.Clone(out.Parameters)
				if r.IntN(2) == 0 {
					for i, p := range d.parameters {
						if slices.Contains(variableNames, p.Name) {
							out.Parameters[i] = cellOf(p.Kind, point[p.Name])
						}
					}
				}
			} else {
				point["eigenvalues"] = fmt.Sprint("set ", set)
				for _, p := range d.parameters {
					out.Parameters = append(out.Parameters, cellOf(p.Kind, point[p.Name]))
				}
				binary.BigEndian.PutUint64(out.PointID[8:], uint64(len(rows)))
				binary.BigEndian.PutUint64(out.PointID[:], r.Uint64())
			}
			out.Point = int64(len(rows))
			rows = append(rows, out)
		}
	}
	return rows
}

func cellOf(kind results.Kind, value any) results.Cell {
	switch x := value.(type) {
	case float64:
		return results.Cell{Int: int64(x), Float: x}
	case string:
		return results.Cell{Text: x}
	}
	return results.Cell{Null: true}
}

// randomRun is a run of a point without its parameters.
func randomRun(r *rand.Rand, point row) results.PointRow {
	out := results.PointRow{Representation: "reduced", Status: results.StatusOK, RunSummary: results.NoRun()}
	step := func() int64 {
		if r.IntN(3) == 0 {
			return -1
		}
		return r.Int64N(40)
	}
	number := func() float64 {
		if r.IntN(8) == 0 {
			return math.NaN()
		}
		return r.Float64()
	}
	out.EscapeStep, out.StepsTo90, out.StepsTo99, out.PeakSpikeStep = step(), step(), step(), step()
	out.Held90Step, out.Held99Step, out.StepsRun = step(), step(), 40
	if r.IntN(2) == 0 {
		out.StepsRun = 20 + r.Int64N(20) // some steps are in the last tenth, or beyond
	}
	out.UnstableStep = point["optimizer"] == "gd" && r.IntN(6) == 0
	out.Loss, out.SignalAlignment, out.PeakSpikeAlignment, out.TailLoss = number(), number(), number(), number()
	out.TailSignalAlignment, out.InputStableRank = number(), number()
	switch r.IntN(8) {
	case 0, 1:
		out.Status, out.DivergedStep, out.StepsRun = results.StatusDiverged, 30, 30
	case 2:
		out.Status, out.Detail = results.StatusFailed, "svd did not converge"
	case 3:
		out.Status, out.Representation, out.Detail = results.StatusInvalid, "", "power must be at most 1"
	}
	return out
}
