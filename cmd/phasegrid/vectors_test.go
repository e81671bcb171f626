package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
)

// vector is one case of an independent double-precision implementation: inputs, values, and their
// tolerance.
type vector struct {
	Name   string
	Inputs struct {
		Model       string
		D, M, N     int
		Batch       int
		Cov         map[string]any
		Teacher     map[string]any
		Init        map[string]any
		Opt         map[string]any
		Steps       int
		SampleSteps []int64 `json:"sample_steps"`
		Seed        int64
		Noise       float64

		Inputs         string
		NegativeUnits  int `json:"negative_units"`
		Representation string
	}
	Expected struct {
		Samples []vectorMetrics
		Final   struct {
			vectorMetrics
			Status        string
			DivergedStep  int64 `json:"diverged_step"`
			EscapeStep    int64 `json:"escape_step"`
			T90, T99      int64
			PeakSpike     *float64 `json:"peak_spike"`
			PeakSpikeStep int64    `json:"peak_spike_step"`
			Held90        *int64   `json:"held_90_step"`
			Held99        *int64   `json:"held_99_step"`
			AtEscape      *float64 `json:"alignment_at_escape"`
			SpikeAtEscape *float64 `json:"spike_at_escape"`
		}
	}
	Tolerance struct{ RTol, ATol float64 }
}

type vectorMetrics struct {
	Step       int64
	Loss       *float64
	Sig, Spike float64
	SigEnergy  float64 `json:"sig_energy"`
	Fro2       float64
	TopOverlap float64 `json:"top_overlap"`
	StableRank float64 `json:"stable_rank"`
	Coef       []float64

	TeacherCovarianceOverlap *float64 `json:"teacher_covariance_overlap"`
	WeightCovarianceNorm2    *float64 `json:"weight_covariance_norm2"`
	ParameterMSE             *float64 `json:"parameter_mse"`
	GradientNuclearRank      *float64 `json:"gradient_nuclear_rank"`
}

// sweepFile writes the vector as a sweep of one point.
func (v *vector) sweepFile() string {
	var b strings.Builder
	in := &v.Inputs
	set := func(name string, value any) { fmt.Fprintf(&b, "  %s: %v\n", name, value) }
	fmt.Fprintf(&b, "name: %s\nfixed:\n", strings.ReplaceAll(v.Name, "_", "-"))
	switch in.Model {
	case "reduced":
		set("model", "population")
	case "full":
		set("model", "population")
		set("representation", cmp.Or(in.Representation, "dense"))
	case "finite":
		set("model", "finite_sample")
		set("samples", in.N)
	case "minibatch":
		set("model", "minibatch")
		set("samples", in.N)
		set("batch_size", in.Batch)
	case "online":
		set("model", "online")
		set("batch_size", in.N)
	}
	set("dimension", in.D)
	if in.M != 0 {
		set("width", in.M)
	}
	set("steps", in.Steps)
	if in.Model != "reduced" && in.Init["type"] != "identity" || in.Model == "finite" || in.Model == "online" {
		set("seed", in.Seed)
	}
	if in.NegativeUnits != 0 {
		set("negative_units", in.NegativeUnits)
	}
	if in.Inputs != "" {
		set("inputs", in.Inputs)
	}
	if in.Noise != 0 {
		set("label_noise", in.Noise)
	}
	names := map[string]string{
		"powerlaw": "power_law", "multispike": "multi_spike", "lambda": "anisotropy", "alpha": "init_scale",
		"index": "teacher_index",
		"lr":    "learning_rate", "beta": "momentum", "lr_schedule": "schedule",
	}
	word := func(x any) any {
		if renamed, ok := names[fmt.Sprint(x)]; ok {
			return renamed
		}
		return x
	}
	for kind, values := range map[string]map[string]any{"covariance": in.Cov, "teacher": in.Teacher, "init": in.Init} {
		set(kind, word(values["type"]))
		for name, x := range values {
			switch {
			case kind == "teacher" && (name == "seed" || name == "norm2" || name == "variance"):
				set("teacher_"+name, x)
			case name != "type":
				set(fmt.Sprint(word(name)), x)
			}
		}
	}
	for name, x := range in.Opt {
		if name != "name" {
			set(fmt.Sprint(word(name)), x)
		}
	}
	steps, _ := json.Marshal(in.SampleSteps)
	fmt.Fprintf(&b, "grid: {optimizer: [%v]}\nrecord: {steps: %s, coefficients: true}\n", in.Opt["name"], steps)
	return b.String()
}

// near compares within the vector's own tolerance.
func (v *vector) near(got, want float64) bool {
	return math.Abs(got-want) <= v.Tolerance.ATol+v.Tolerance.RTol*math.Abs(want)
}

// TestReferenceVectors runs every case as a sweep file and reads the result from Parquet.
func TestReferenceVectors(t *testing.T) {
	var vectors []*vector
	for _, file := range []string{"vectors.json", "vectors2.json"} {
		data, err := os.ReadFile("../../node/solver/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var some []*vector
		if err := json.Unmarshal(data, &some); err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, some...)
	}
	if len(vectors) != 28 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			set := runSweep(t, v.sweepFile())
			points := collect(t, set.Points(t.Context()))
			if len(points) != 1 {
				t.Fatalf("%d points", len(points))
			}
			v.checkFinal(t, points[0])
			v.checkTrajectory(t, collect(t, set.Trajectories(t.Context())))
			v.checkCoefficients(t, collect(t, set.Coefficients(t.Context())))
		})
	}
}

func (v *vector) checkFinal(t *testing.T, p results.PointRow) {
	t.Helper()
	want := &v.Expected.Final
	if p.Status != want.Status {
		t.Errorf("status %s (%s), want %s", p.Status, p.Detail, want.Status)
	}
	integers := map[string][2]int64{
		"diverged_step": {p.DivergedStep, want.DivergedStep}, "escape_step": {p.EscapeStep, want.EscapeStep},
		"steps_to_90": {p.StepsTo90, want.T90}, "steps_to_99": {p.StepsTo99, want.T99},
	}
	if want.Loss != nil { // a diverged case has no final values
		integers["peak_spike_step"] = [2]int64{p.PeakSpikeStep, want.PeakSpikeStep}
		v.checkMetrics(t, "final", &want.vectorMetrics, p.Metrics)
		if !v.near(p.PeakSpikeAlignment, *want.PeakSpike) {
			t.Errorf("peak_spike_alignment %v, want %v", p.PeakSpikeAlignment, *want.PeakSpike)
		}
	}
	if want.Held90 != nil {
		integers["held_90_step"] = [2]int64{p.Held90Step, *want.Held90}
		integers["held_99_step"] = [2]int64{p.Held99Step, *want.Held99}
		v.checkOptional(t, "final", "alignment_at_escape", p.AlignmentAtEscape, want.AtEscape)
		v.checkOptional(t, "final", "spike_at_escape", p.SpikeAtEscape, want.SpikeAtEscape)
	}
	for name, pair := range integers {
		if pair[0] != pair[1] {
			t.Errorf("%s is %d, want %d", name, pair[0], pair[1])
		}
	}
}

func (v *vector) checkMetrics(t *testing.T, where string, want *vectorMetrics, got results.Metrics) {
	t.Helper()
	for name, pair := range map[string][2]float64{
		"loss": {got.Loss, *want.Loss}, "signal_alignment": {got.SignalAlignment, want.Sig},
		"spike_alignment": {got.SpikeAlignment, want.Spike}, "signal_energy": {got.SignalEnergy, want.SigEnergy},
		"weight_norm2":            {got.WeightNorm2, want.Fro2},
		"top_eigenvector_overlap": {got.TopEigenvectorOverlap, want.TopOverlap},
		"stable_rank":             {got.StableRank, want.StableRank},
	} {
		if !v.near(pair[0], pair[1]) {
			t.Errorf("%s: %s is %v, want %v", where, name, pair[0], pair[1])
		}
	}
	if want.ParameterMSE == nil {
		return // the first vectors do not have these
	}
	v.checkOptional(t, where, "teacher_covariance_overlap", got.TeacherCovarianceOverlap, want.TeacherCovarianceOverlap)
	v.checkOptional(t, where, "weight_covariance_norm2", got.WeightCovarianceNorm2, want.WeightCovarianceNorm2)
	v.checkOptional(t, where, "parameter_mse", got.ParameterMSE, want.ParameterMSE)
	v.checkOptional(t, where, "gradient_nuclear_rank", got.GradientNuclearRank, want.GradientNuclearRank)
}

// checkOptional compares a value that is null, NaN in Go, where none is wanted.
func (v *vector) checkOptional(t *testing.T, where, name string, got float64, want *float64) {
	t.Helper()
	if want == nil && !math.IsNaN(got) || want != nil && !v.near(got, *want) {
		t.Errorf("%s: %s is %v, want %v", where, name, got, want)
	}
}

func (v *vector) checkTrajectory(t *testing.T, rows []results.TrajectoryRow) {
	t.Helper()
	if len(rows) != len(v.Expected.Samples) {
		t.Fatalf("%d trajectory rows, want %d", len(rows), len(v.Expected.Samples))
	}
	for i, row := range rows {
		want := &v.Expected.Samples[i]
		if row.Step != want.Step {
			t.Errorf("row %d is of step %d, want %d", i, row.Step, want.Step)
		}
		v.checkMetrics(t, fmt.Sprintf("step %d", row.Step), want, row.Metrics)
	}
}

func (v *vector) checkCoefficients(t *testing.T, rows []results.CoefficientRow) {
	t.Helper()
	type place struct{ step, group int64 }
	got := map[place]float64{}
	for _, row := range rows {
		got[place{row.Step, row.Group}] = row.Coefficient
	}
	wanted := 0
	for _, s := range v.Expected.Samples {
		for g, want := range s.Coef {
			wanted++
			if w, ok := got[place{s.Step, int64(g)}]; !ok || !v.near(w, want) {
				t.Errorf("step %d: coefficient %d is %v, want %v", s.Step, g, w, want)
			}
		}
	}
	if len(rows) != wanted {
		t.Errorf("%d coefficient rows, want %d", len(rows), wanted)
	}
}
