package node

import (
	"fmt"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/sweep"
)

// The words of sweep files and the values of the solver.
var (
	models = map[string]solver.Model{
		"population": solver.Population, "finite_sample": solver.FiniteSample, "online": solver.Online,
		"minibatch": solver.Minibatch,
	}
	inputLaws = map[string]solver.InputLaw{
		"gaussian": solver.Normal, "rademacher": solver.Rademacher, "uniform": solver.UniformLaw,
		"laplace": solver.Laplace,
	}
	representations = map[string]solver.Representation{
		"reduced": solver.Reduced, "subspace": solver.Subspace, "dense": solver.Dense,
	}
	optimizers      = optimizerWords()
	orthogonalizers = map[string]solver.Orthogonalizer{
		"newton_schulz": solver.NewtonSchulz, "polar_express": solver.PolarExpress, "exact": solver.ExactPolar,
	}
	schedules = map[string]solver.Schedule{
		"constant": solver.Constant, "linear": solver.Linear, "cosine": solver.Cosine, "invsqrt": solver.InvSqrt,
	}
	inits = map[string]solver.Init{
		"identity":    solver.Identity,
		"gaussian":    solver.Gaussian,
		"orthonormal": solver.Orthonormal,
		"sphere":      solver.Sphere,
	}
	teachers = map[string]solver.TeacherKind{
		"eigen": solver.Eigen, "uniform": solver.Uniform, "mix": solver.Mix, "random": solver.Random,
	}
)

// optimizerWords are the names of the solver's optimizers.
func optimizerWords() map[string]solver.Optimizer {
	words := map[string]solver.Optimizer{}
	for i, o := range solver.Optimizers() {
		words[o.Name] = solver.Optimizer(i)
	}
	return words
}

// checkTables compares the tables of optimizers of sweep files and of the solver, and has sweep
// check its covariances and the solver its own table.
func checkTables() error {
	unused := optimizerWords()
	traits := solver.Optimizers()
	for _, row := range sweep.Optimizers() {
		o, known := unused[row.Name]
		if !known {
			return fmt.Errorf("check optimizer %s: the solver has none of this name", row.Name)
		}
		delete(unused, row.Name)
		want := solver.OptimizerTraits{Name: row.Name, BasisDependent: row.BasisDependent, Buffers: row.Buffers,
			OnlineDense: row.OnlineDense != ""}
		if traits[o] != want {
			return fmt.Errorf("check optimizer %s: the solver has %+v, sweep files %+v", row.Name, traits[o], want)
		}
	}
	for name := range unused {
		return fmt.Errorf("check optimizer %s: sweep files have none of this name", name)
	}
	if err := sweep.CheckCovariances(); err != nil {
		return err
	}
	return solver.SelfCheck()
}

// NewProblem converts a point's resolved parameters to a problem of the solver. The solver ignores
// the fields of parameters that do not apply, which are null. The error names a word that the
// solver does not know.
func NewProblem(params sweep.Assignment, record []int, coefficients bool) (solver.Problem, error) {
	var unknown error
	samples, batch := int(params[sweep.Samples].Int()), int(params[sweep.BatchSize].Int())
	if params[sweep.Samples].IsNull() { // all pairs of a batch are fresh
		samples, batch = batch, 0
	}
	p := solver.Problem{
		Model:          word(params, sweep.Model, models, &unknown),
		Representation: word(params, sweep.Representation, representations, &unknown),
		Dimension:      int(params[sweep.Dimension].Int()),
		Width:          int(params[sweep.Width].Int()),
		NegativeUnits:  int(params[sweep.NegativeUnits].Int()),
		Steps:          int(params[sweep.Steps].Int()),
		Samples:        samples,
		Batch:          batch,
		Inputs:         word(params, sweep.Inputs, inputLaws, &unknown),
		LabelNoise:     number(params, sweep.LabelNoise),
		Covariance:     covariance(params),
		Teacher:        teacher(params, &unknown),
		Init:           word(params, sweep.Init, inits, &unknown),
		InitScale:      number(params, sweep.InitScale),
		Seed:           uint64(params[sweep.Seed].Int()),

		Optimizer:      word(params, sweep.Optimizer, optimizers, &unknown),
		LearningRate:   number(params, sweep.LearningRate),
		Schedule:       word(params, sweep.Schedule, schedules, &unknown),
		LRWarm:         number(params, sweep.LRWarm),
		WeightDecay:    number(params, sweep.WeightDecay),
		Momentum:       number(params, sweep.Momentum),
		Nesterov:       params[sweep.Nesterov].Bool(),
		Orthogonalizer: word(params, sweep.Orthogonalizer, orthogonalizers, &unknown),
		NSSteps:        int(params[sweep.NSSteps].Int()),
		Power:          number(params, sweep.Power),
		NormalizePower: params[sweep.NormalizePower].Bool(),
		PowerMax:       number(params, sweep.PowerMax),
		PowerMin:       number(params, sweep.PowerMin),
		PowerMidpoint:  number(params, sweep.PowerMidpoint),
		PowerWidth:     number(params, sweep.PowerWidth),
		Beta1:          number(params, sweep.Beta1),
		Beta2:          number(params, sweep.Beta2),
		Epsilon:        number(params, sweep.Epsilon),

		Record:       record,
		Coefficients: coefficients,
	}
	return p, unknown
}

// word looks up a text parameter; null is the zero value.
func word[T any](params sweep.Assignment, id sweep.ParameterID, words map[string]T, unknown *error) T {
	v, ok := words[params[id].Text()]
	if !ok && !params[id].IsNull() {
		*unknown = fmt.Errorf("%s %s is unknown to this solver", sweep.Describe(id).Name, params[id])
	}
	return v
}

// number is the value of a number parameter; null is 0.
func number(params sweep.Assignment, id sweep.ParameterID) float64 {
	if params[id].IsNull() {
		return 0
	}
	return params[id].Float()
}

// covariance is the covariance of a point.
func covariance(params sweep.Assignment) solver.Covariance {
	c := solver.Covariance{
		AR1:    params[sweep.Covariance].Text() == "ar1",
		Rho:    number(params, sweep.Rho),
		Rotate: params[sweep.Rotate].Text() == "householder",
	}
	if !c.AR1 {
		for _, r := range sweep.Spectrum(params) {
			c.Spectrum = append(c.Spectrum, solver.Run{Value: r.Value, Count: int(r.Count)})
		}
	}
	return c
}

// teacher is the teacher of a point.
func teacher(params sweep.Assignment, unknown *error) solver.Teacher {
	t := solver.Teacher{
		Kind:  word(params, sweep.Teacher, teachers, unknown),
		Index: int(params[sweep.TeacherIndex].Int()),
		Seed:  uint64(params[sweep.TeacherSeed].Int()),
		Norm2: sweep.ThetaNorm2(params),
	}
	weights := params[sweep.TeacherWeights].List()
	for i := 0; i+1 < len(weights); i += 2 {
		t.Weights = append(t.Weights, solver.IndexWeight{Index: int(weights[i]), Weight: weights[i+1]})
	}
	return t
}
