package results_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/views"
	"github.com/phasegrid/phasegrid/sweep"
)

// version3 is a finished set of solver version 3, which lacks columns of later versions.
const version3 = "testdata/version-3"

func TestSetsOfEarlierVersionsStayReadable(t *testing.T) {
	report, err := results.Verify(t.Context(), version3, nil, nil)
	if err != nil || !report.OK() || !report.Finished || report.Points != 8 {
		t.Fatalf("%+v, %v", report, err)
	}
	set, err := results.OpenSet(version3)
	if err != nil {
		t.Fatal(err)
	}
	if v := set.Schema().Options().Solver; v != sweep.BuiltinSolver(3) {
		t.Errorf("solver %s", v)
	}
	checkSweepSchema(t, set)
	diverged, reached := 0, 0
	for r, err := range set.Points(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Parameters) != len(set.Schema().Parameters()) || math.IsNaN(r.Loss) || r.StepsRun == 0 {
			t.Errorf("point %d: %+v", r.Point, r)
		}
		if r.Held90Step != -1 || !math.IsNaN(r.ParameterMSE) || !math.IsNaN(r.InputStableRank) {
			t.Errorf("point %d has values in columns of later versions: %+v", r.Point, r)
		}
		if r.Status == results.StatusDiverged {
			diverged++
		}
		if r.StepsTo90 >= 0 {
			reached++
		}
	}
	if diverged != 2 || reached != 5 {
		t.Errorf("%d diverged, %d reached 90 %%", diverged, reached)
	}
	steps := 0
	for r, err := range set.Trajectories(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if steps++; math.IsNaN(r.Loss) || !math.IsNaN(r.GradientNuclearRank) || math.IsNaN(r.SignalCoefficient) {
			t.Errorf("%+v", r)
		}
	}
	if steps != 20 {
		t.Errorf("%d trajectory rows", steps)
	}
	statements, err := views.SQL(set.Schema(), version3)
	if err != nil || !strings.Contains(statements, `NULL::BIGINT AS "held_90_step"`) {
		t.Errorf("%v\n%s", err, statements)
	}
}

// checkSweepSchema compares the schema that coordinators derive for a sweep of the version with the
// set's.
func checkSweepSchema(t *testing.T, set *results.Set) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(version3, results.SweepName))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := sweep.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := results.SweepSchema(spec, sweep.BuiltinSolver(3))
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range schema.Tables() {
		names := func(s *results.Schema) (names []string) {
			for _, c := range s.Columns(table) {
				names = append(names, c.Name)
			}
			return names
		}
		if got, want := names(schema), names(set.Schema()); !slices.Equal(got, want) {
			t.Errorf("%v of version 3 has columns %v, want %v", table, got, want)
		}
	}
}
