package solver

import (
	"math"
	"reflect"
	"testing"
)

// eachMetric calls visit with the name and the value of every field.
func eachMetric(m Metrics, visit func(i int, name string, x float64)) {
	v := reflect.ValueOf(m)
	for i := range v.NumField() {
		visit(i, v.Type().Field(i).Name, v.Field(i).Float())
	}
}

// A metric that is forgotten in undefinedMetrics is 0 in runs without an iterate, and one forgotten
// in newMetrics is infinite in runs that overflow.
func TestUndefinedMetricsAreNaN(t *testing.T) {
	mustBeNaN := func(where string, m Metrics) {
		eachMetric(m, func(_ int, name string, x float64) {
			if !math.IsNaN(x) {
				t.Errorf("%s: %s is %v, want NaN", where, name, x)
			}
		})
	}
	mustBeNaN("undefinedMetrics", undefinedMetrics)
	for _, x := range []float64{math.Inf(1), math.NaN()} {
		var m Metrics
		v := reflect.ValueOf(&m).Elem()
		for i := range v.NumField() {
			v.Field(i).SetFloat(x)
		}
		mustBeNaN("newMetrics", newMetrics(m, observation{x, -x, -x}))
	}
}

// A metric that is forgotten in one representation is 0 or differs there.
func TestEveryMetricInEveryRepresentation(t *testing.T) {
	p := Problem{
		Dimension: 30, Width: 30, Steps: 25, Init: Identity, InitScale: 0.3, Optimizer: GD, LearningRate: 0.01,
		Covariance: Covariance{Spectrum: []Run{{1, 1}, {4, 2}, {0.5, 27}}},
		Teacher:    Teacher{Norm2: 1.7},
	}
	for k := range p.Steps + 1 {
		p.Record = append(p.Record, k)
	}
	problems := []Problem{p, p, p}
	for i, representation := range []Representation{Reduced, Subspace, Dense} {
		problems[i].Representation = representation
	}
	results := make([]Result, len(problems))
	if err := New().Solve(t.Context(), problems, results); err != nil {
		t.Fatal(err)
	}
	seen := make([]bool, reflect.TypeFor[Metrics]().NumField())
	for k := range p.Record {
		eachMetric(results[0].Trajectory[k].Metrics, func(i int, name string, want float64) {
			seen[i] = seen[i] || want != 0 && !math.IsNaN(want)
			for _, r := range results[1:] {
				got := reflect.ValueOf(r.Trajectory[k].Metrics).Field(i).Float()
				if !(math.Abs(got-want) <= 1e-10*math.Abs(want)) {
					t.Errorf("step %d: %s is %v, in the reduced run %v", k, name, got, want)
				}
			}
		})
	}
	eachMetric(Metrics{}, func(i int, name string, _ float64) {
		if !seen[i] {
			t.Errorf("%s is 0 at every step", name)
		}
	})
}
