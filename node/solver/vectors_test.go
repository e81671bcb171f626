package solver_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
)

// vector is a case of testdata/vectors.json or vectors2.json, computed by an independent
// double-precision implementation.
type vector struct {
	Name   string
	Inputs struct {
		Model string
		D     int
		M     int
		Cov   struct {
			Type      string
			Lambda    float64
			Exponent  float64
			Rho       float64
			Normalize string
			Rotate    string
		}
		Teacher struct {
			Type     string
			Index    int
			Seed     *uint64
			Variance *float64
			Norm2    *float64
		}
		Init struct {
			Type  string
			Alpha float64
		}
		Opt struct {
			Name       string
			LR         float64
			LRSchedule string `json:"lr_schedule"`
			Beta       float64
			Nesterov   bool
			NSSteps    int `json:"ns_steps"`
		}
		Steps       int
		SampleSteps []int `json:"sample_steps"`
		Seed        uint64
		N           int
		Batch       int
		Noise       float64

		Inputs         string
		NegativeUnits  int `json:"negative_units"`
		Representation string
	}
	Expected struct {
		Samples []struct {
			Step int
			vectorMetrics
			Coef []float64
		}
		Final struct {
			vectorMetrics
			Status        string
			DivergedStep  int      `json:"diverged_step"`
			EscapeStep    int      `json:"escape_step"`
			T90           int      `json:"t90"`
			T99           int      `json:"t99"`
			Held90        *int     `json:"held_90_step"`
			Held99        *int     `json:"held_99_step"`
			AtEscape      *float64 `json:"alignment_at_escape"`
			SpikeAtEscape *float64 `json:"spike_at_escape"`
			PeakSpike     *float64 `json:"peak_spike"`
			PeakSpikeStep *int     `json:"peak_spike_step"`
		}
	}
	Tolerance struct{ RTol, ATol float64 }
}

type vectorMetrics struct {
	Loss       *float64
	Sig        *float64
	Spike      *float64
	SigEnergy  *float64 `json:"sig_energy"`
	Fro2       *float64
	TopOverlap *float64 `json:"top_overlap"`
	StableRank *float64 `json:"stable_rank"`

	TeacherCovarianceOverlap *float64 `json:"teacher_covariance_overlap"`
	WeightCovarianceNorm2    *float64 `json:"weight_covariance_norm2"`
	ParameterMSE             *float64 `json:"parameter_mse"`
	GradientNuclearRank      *float64 `json:"gradient_nuclear_rank"`
}

func powerLaw(d int, exponent float64, traceD bool) []solver.Run {
	runs := make([]solver.Run, d)
	trace := 0.0
	for i := range runs {
		runs[i] = solver.Run{Value: math.Pow(float64(i+1), -exponent), Count: 1}
		trace += runs[i].Value
	}
	if traceD {
		for i := range runs {
			runs[i].Value *= float64(d) / trace
		}
	}
	return runs
}

func spiked(d int, lambda float64) []solver.Run {
	return []solver.Run{{Value: 1, Count: 1}, {Value: 1 + lambda, Count: 1}, {Value: 1, Count: d - 2}}
}

func (v *vector) problem(t *testing.T) solver.Problem {
	in := &v.Inputs
	p := solver.Problem{
		Dimension:     in.D,
		Width:         in.M,
		Steps:         in.Steps,
		Samples:       in.N,
		Batch:         in.Batch,
		NegativeUnits: in.NegativeUnits,
		Seed:          in.Seed,
		LabelNoise:    in.Noise,
		Record:        in.SampleSteps,
		InitScale:     in.Init.Alpha,
		LearningRate:  in.Opt.LR,
		LRWarm:        100,
		Momentum:      in.Opt.Beta,
		Nesterov:      in.Opt.Nesterov,
		NSSteps:       in.Opt.NSSteps,
	}
	if p.Width == 0 {
		p.Width = p.Dimension
	}
	p.Teacher = solver.Teacher{Index: in.Teacher.Index, Norm2: 1}
	p.Model = map[string]solver.Model{"reduced": solver.Population, "full": solver.Population,
		"finite": solver.FiniteSample, "online": solver.Online, "minibatch": solver.Minibatch}[in.Model]
	if in.Model != "reduced" {
		p.Representation = solver.Dense
	}
	p.Teacher.Kind = map[string]solver.TeacherKind{"uniform": solver.Uniform, "random": solver.Random}[in.Teacher.Type]
	p.Init = map[string]solver.Init{"gaussian": solver.Gaussian, "sphere": solver.Sphere}[in.Init.Type]
	if in.Teacher.Seed != nil {
		p.Teacher.Seed = *in.Teacher.Seed
	}
	if in.Teacher.Norm2 != nil {
		p.Teacher.Norm2 = *in.Teacher.Norm2
	}
	if in.Representation == "subspace" {
		p.Representation = solver.Subspace
	}
	if in.Opt.LRSchedule == "cosine" {
		p.Schedule = solver.Cosine
	}
	p.Inputs = map[string]solver.InputLaw{
		"rademacher": solver.Rademacher, "uniform": solver.UniformLaw, "laplace": solver.Laplace,
	}[in.Inputs]
	p.Optimizer = map[string]solver.Optimizer{
		"gd": solver.GD, "specgd": solver.SpecGD, "muon": solver.Muon,
	}[in.Opt.Name]
	if p.Optimizer == solver.Muon && p.NSSteps == 0 {
		p.NSSteps = 5
	}
	switch in.Cov.Type {
	case "isotropic":
		p.Covariance.Spectrum = []solver.Run{{Value: 1, Count: in.D}}
	case "spiked":
		p.Covariance.Spectrum = spiked(in.D, in.Cov.Lambda)
	case "powerlaw":
		p.Covariance.Spectrum = powerLaw(in.D, in.Cov.Exponent, in.Cov.Normalize != "")
		for i := range p.Covariance.Spectrum {
			if in.Cov.Normalize == "trace_1" {
				p.Covariance.Spectrum[i].Value /= float64(in.D)
			}
		}
	case "ar1":
		p.Covariance.AR1, p.Covariance.Rho = true, in.Cov.Rho
	default:
		t.Fatalf("covariance %q", in.Cov.Type)
	}
	p.Covariance.Rotate = in.Cov.Rotate == "householder"
	if in.Teacher.Variance != nil {
		p.Teacher.Norm2 = *in.Teacher.Variance / solver.UnitVariance(&p)
	}
	return p
}

func readVectors(t *testing.T, file string) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

func solve(t testing.TB, problems ...solver.Problem) []solver.Result {
	t.Helper()
	results := make([]solver.Result, len(problems))
	if err := solver.New().Solve(context.Background(), problems, results); err != nil {
		t.Fatal(err)
	}
	return results
}

func TestVectors(t *testing.T) {
	old, added := readVectors(t, "vectors.json"), readVectors(t, "vectors2.json")
	if len(old) != 14 || len(added) != 14 {
		t.Fatalf("%d and %d cases, want 14 each", len(old), len(added))
	}
	for _, v := range append(old, added...) {
		t.Run(v.Name, func(t *testing.T) {
			r := solve(t, v.problem(t))[0]
			near := func(what string, got float64, want *float64) {
				t.Helper()
				if want != nil && !(math.Abs(got-*want) <= v.Tolerance.ATol+v.Tolerance.RTol*math.Abs(*want)) {
					t.Errorf("%s = %.17g, want %.17g", what, got, *want)
				}
			}
			equal := func(what string, got, want int) {
				t.Helper()
				if got != want {
					t.Errorf("%s = %d, want %d", what, got, want)
				}
			}
			check := func(m solver.Metrics, want vectorMetrics) {
				t.Helper()
				near("loss", m.Loss, want.Loss)
				near("signal alignment", m.SignalAlignment, want.Sig)
				near("spike alignment", m.SpikeAlignment, want.Spike)
				near("signal energy", m.SignalEnergy, want.SigEnergy)
				near("weight norm²", m.WeightNorm2, want.Fro2)
				near("top overlap", m.TopEigenvectorOverlap, want.TopOverlap)
				near("stable rank", m.StableRank, want.StableRank)
				near("teacher covariance overlap", m.TeacherCovarianceOverlap, want.TeacherCovarianceOverlap)
				near("weight covariance norm²", m.WeightCovarianceNorm2, want.WeightCovarianceNorm2)
				near("parameter MSE", m.ParameterMSE, want.ParameterMSE)
				near("gradient nuclear rank", m.GradientNuclearRank, want.GradientNuclearRank)
			}
			final := v.Expected.Final
			equal("samples", len(r.Trajectory), len(v.Expected.Samples))
			for i, want := range v.Expected.Samples {
				got := r.Trajectory[i]
				equal("step", got.Step, want.Step)
				check(got.Metrics, want.vectorMetrics)
				for j, w := range want.Coef {
					near("coefficient", got.Coefficients[j], &w)
				}
			}
			equal("diverged step", r.DivergedStep, final.DivergedStep)
			equal("escape step", r.EscapeStep, final.EscapeStep)
			equal("steps to 90", r.StepsTo90, final.T90)
			equal("steps to 99", r.StepsTo99, final.T99)
			if final.Held90 != nil {
				equal("held 90 step", r.Held90Step, *final.Held90)
				equal("held 99 step", r.Held99Step, *final.Held99)
			}
			near("alignment at escape", r.AlignmentAtEscape, final.AtEscape)
			near("spike at escape", r.SpikeAtEscape, final.SpikeAtEscape)
			if final.Status == "diverged" {
				equal("status", int(r.Status), int(solver.Diverged))
				return
			}
			equal("status", int(r.Status), int(solver.OK))
			check(r.Final, final.vectorMetrics)
			near("peak spike", r.PeakSpike, final.PeakSpike)
			equal("peak spike step", r.PeakSpikeStep, *final.PeakSpikeStep)
		})
	}
}
