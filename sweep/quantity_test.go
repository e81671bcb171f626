package sweep_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

const quantityHead = "name: x\nfixed: {covariance: spiked, dimension: 8, steps: 3, init_scale: 0.1"

// The limit of a spiked covariance is 1/max(3, 1 + lambda), and what auto gives is the row's rule.
func TestExpressionsReadTheStepLimit(t *testing.T) {
	spec := parse(t, quantityHead+"}\ngrid: {anisotropy: [0, 5, 9], optimizer: [gd, momentum]}\n"+
		"derive: {learning_rate: 0.25 * step_limit, weight_decay: auto_learning_rate, "+
		"teacher_norm2: anisotropy > 4 ? 2 : 1}\n")
	auto := parse(t, quantityHead+", learning_rate: auto}\ngrid: {anisotropy: [0, 5, 9], optimizer: [gd, momentum]}\n"+
		"derive: {teacher_norm2: anisotropy > 4 ? 2 : 1}\n")
	for p := range spec.Points(0, spec.Size()) {
		lambda, norm2 := p.Params[sweep.Anisotropy].Float(), p.Params[sweep.TeacherNorm2].Float()
		want := 0.25 / (norm2 * max(3, 1+lambda))
		if got := p.Params[sweep.LearningRate].Float(); math.Abs(got-want) > 1e-15 || p.Invalid != "" {
			t.Errorf("lambda %v: learning rate %v, want %v; %s", lambda, got, want, p.Invalid)
		}
		q, ok := auto.Point(p.Index)
		if got, want := p.Params[sweep.WeightDecay], q.Params[sweep.LearningRate]; !ok || got.Float() != want.Float() {
			t.Errorf("point %d: auto_learning_rate %v, want %v", p.Index, got, want)
		}
	}
	kept := parse(t, quantityHead+", optimizer: gd}\ngrid: {anisotropy: [0, 9], learning_rate: [0.05, 0.2]}\n"+
		"where: learning_rate < step_limit\n")
	if n, exact := kept.Count(); n != 3 || !exact {
		t.Errorf("where leaves %d points, want 3", n)
	}
}

func TestQuantitiesThatAreNotSet(t *testing.T) {
	for _, c := range []struct{ rest, want string }{
		{
			", anisotropy: 1, optimizer: adam}\nderive: {learning_rate: 2 * auto_learning_rate}\n",
			"auto_learning_rate is not set at this point; give an alternative (auto_learning_rate ?? 0)",
		},
		{
			", optimizer: gd}\nderive: {learning_rate: 0.1, anisotropy: step_limit}\n",
			"derive: cycle of references anisotropy -> anisotropy",
		},
		{", anisotropy: 1, optimizer: gd}\nderive: {learning_rate: step_limt}\n", `did you mean "step_limit"?`},
	} {
		_, err := sweep.Parse("x.yaml", []byte(quantityHead+c.rest), sweep.Limits{})
		var mistakes sweep.Mistakes
		if !errors.As(err, &mistakes) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.rest, err, c.want)
		}
	}
}
