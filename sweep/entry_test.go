package sweep_test

import (
	"slices"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

const entryHead = "name: x\nfixed: {covariance: spiked, anisotropy: 3, dimension: 8, steps: 20, init_scale: 0.01, "

// resolvedTexts are the values of one parameter over the points of a file, as canonical text.
func resolvedTexts(t *testing.T, file string, id sweep.ParameterID) []string {
	t.Helper()
	spec := parse(t, file)
	again, err := sweep.Decode(spec.Canonical())
	if err != nil {
		t.Fatal(err)
	}
	var texts, decoded []string
	for p := range spec.Points(0, spec.Size()) {
		texts = append(texts, p.Params[id].String())
	}
	for p := range again.Points(0, again.Size()) {
		decoded = append(decoded, p.Params[id].String())
	}
	if !slices.Equal(texts, decoded) || string(again.Canonical()) != string(spec.Canonical()) {
		t.Errorf("%s gives %v, its canonical spec %v", spec.Canonical(), texts, decoded)
	}
	return texts
}

func TestBooleansInTheSpellingsOfYAML(t *testing.T) {
	want := resolvedTexts(t, entryHead+"optimizer: momentum, learning_rate: 0.01}\n"+
		"grid: {nesterov: [false, true]}\nrecord: {every: 5, coefficients: true}\n", sweep.Nesterov)
	for _, words := range [][2]string{{"False", "True"}, {"FALSE", "TRUE"}} {
		file := entryHead + "optimizer: momentum, learning_rate: 0.01}\n" +
			"grid: {nesterov: [" + words[0] + ", " + words[1] + "]}\n" +
			"record: {every: 5, coefficients: " + words[1] + "}\n"
		if got := resolvedTexts(t, file, sweep.Nesterov); !slices.Equal(got, want) {
			t.Errorf("%v gives %v, want %v", words, got, want)
		}
		if !parse(t, file).Record().Coefficients {
			t.Errorf("coefficients: %s is false", words[1])
		}
	}
}

func TestDefaultIsAnEntry(t *testing.T) {
	for _, c := range []struct {
		rest string
		id   sweep.ParameterID
		want []string
	}{
		{
			"learning_rate: 0.1}\ngrid: {optimizer: [momentum, muon], momentum: [default, 0.5]}\n",
			sweep.Momentum, []string{"0.9", "0.5", "0.95", "0.5"},
		},
		{
			"learning_rate: 0.1}\nzip: {optimizer: [momentum, muon, muon], momentum: {values: [0.3, default, 0.5]}}\n",
			sweep.Momentum, []string{"0.3", "0.95", "0.5"},
		},
		{ // an axis of a union's block gives way to nothing, the fixed value around it included
			"learning_rate: 0.1, optimizer: momentum, momentum: 0.3}\n" +
				"union: [{grid: {momentum: [default, 0.5]}}, {points: [{teacher_norm2: 2}]}]\n",
			sweep.Momentum, []string{"0.9", "0.5", "0.3"},
		},
		{ // expressions read the default, and are evaluated after what it depends on
			"learning_rate: 0.1}\ngrid: {momentum: [default, 0.5], teacher_norm2: [1, 2]}\n" +
				"derive: {optimizer: \"teacher_norm2 == 1 ? 'momentum' : 'muon'\", weight_decay: 1 - momentum}\n",
			sweep.WeightDecay, []string{"0.09999999999999998", "0.5", "0.050000000000000044", "0.5"},
		},
		{
			"learning_rate: 0.1, optimizer: momentum}\n" +
				"sample: {method: sobol, num: 2, axes: {nesterov: [default, true]}}\n",
			sweep.Nesterov, []string{"false", "true"},
		},
	} {
		if got := resolvedTexts(t, entryHead+c.rest, c.id); !slices.Equal(got, c.want) {
			t.Errorf("%s gives %v, want %v", c.rest, got, c.want)
		}
	}
}
