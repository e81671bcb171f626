package sweep_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
	"pgregory.net/rapid"
)

const coincideHead = "name: x\nrecord: none\n" +
	"fixed: {covariance: spiked, anisotropy: 1, dimension: 8, steps: 3, init_scale: 0.1, "

func TestCoincidingPointsAreWarnedOf(t *testing.T) {
	const rate = "learning_rate: 0.01}\n"
	const gd = "optimizer: gd, " + rate
	for _, c := range []struct {
		name, rest string
		want       []string
	}{
		{
			"idle axis",
			rate + "grid: {optimizer: [gd, adam, muon], momentum: [0.5, 0.9, 0.95]}\n",
			[]string{"momentum does not apply to optimizer gd, adam: 4 points are the same point as another"},
		},
		{
			"one condition behind another",
			rate + "grid: {optimizer: [gd, {name: muon, orthogonalizer: exact}, muon], ns_steps: [3, 5]}\n",
			[]string{"ns_steps does not apply to optimizer gd and orthogonalizer exact: " +
				"2 points are the same point as another"},
		},
		{
			"two idle axes",
			gd + "grid: {momentum: [0.1, 0.2], ns_steps: [1, 2, 3]}\n",
			[]string{
				"momentum does not apply to optimizer gd: 3 points are the same point as another",
				"ns_steps does not apply to optimizer gd: 4 points are the same point as another",
			},
		},
		{
			"seeds of runs without randomness",
			gd + "grid: {seed: [1, 2], init: [identity, gaussian]}\n",
			[]string{"seed does not apply to model population with init identity: " +
				"1 point is the same point as another"},
		},
		{
			"a variable that nothing reads",
			gd + "variables: {draw: number of the draw}\ngrid: {teacher_norm2: [1, 2], draw: [1, 2, 3]}\n",
			[]string{"variable draw is read by no derived parameter: 4 points are the same point as another"},
		},
		{
			"a variable whose values give the same point",
			"optimizer: gd}\nvariables: {factor: how much}\ngrid: {factor: [1, 2, 3]}\n" +
				"derive: {learning_rate: \"0.001 * min(2, factor)\"}\n",
			[]string{"axis of factor: 1 point is the same point as another"},
		},
		{
			"variables beside parameters in a zip",
			gd + "variables: {setting: which one}\nzip: {setting: [a, b], teacher_norm2: [1, 2]}\n", nil,
		},
		{
			"equal values in different words",
			"optimizer: momentum, " + rate + "grid: {momentum: [default, 0.9, 0.5]}\n",
			[]string{"axis of momentum: 1 point is the same point as another"},
		},
		{
			"blocks and rows",
			gd + "union:\n  - grid: {teacher_norm2: [1, 2, 3]}\n  - grid: {teacher_norm2: [3, 4]}\n" +
				"  - points: [{teacher_norm2: 3}, {teacher_norm2: 3}]\n",
			[]string{
				"union blocks 1 and 2: 1 point is the same point as another",
				"union blocks 2 and 3: 1 point is the same point as another",
				"points rows 1 and 2 give the same point",
			},
		},
		{
			"rows of a zip",
			rate + "zip: {optimizer: [gd, adam, gd], teacher_norm2: [1, 1, 1]}\n",
			[]string{"zip rows 1 and 3 give the same point"},
		},
		{
			"rows of a zip beside a grid",
			rate + "zip: {optimizer: [gd, adam, gd], teacher_norm2: [1, 1, 1]}\ngrid: {weight_decay: [0, 0.1]}\n",
			[]string{"zip rows 1 and 3 give the same point, 2 times"},
		},
		{
			"a sample of choices",
			rate + "sample: {method: sobol, num: 4, axes: {optimizer: [gd, adam]}}\n",
			[]string{"sample: 2 points are the same point as another"},
		},
		{
			"entries of a zip that only look repeated",
			rate + "zip: {optimizer: [gd, gd, adam], teacher_norm2: [1, 2, 1]}\n", nil,
		},
		{
			"weights of a sample",
			"teacher_norm2: 1}\nsample: {method: random, num: 100, seed: 1, " +
				"axes: {optimizer: [gd, gd, gd, gd, muon], learning_rate: {from: 1e-4, to: 0.1, log: true}}}\n", nil,
		},
		{
			"weighted choices",
			rate + "sample: {method: lhs, num: 100, axes: {optimizer: {choice: [gd, muon], weights: [3, 1]}, " +
				"teacher_norm2: {from: 1, to: 2, step: 0.5}}}\n", nil,
		},
		{
			"weighted choices beside a number that does not apply to all of them",
			rate + "sample: {method: lhs, num: 100, axes: {optimizer: {choice: [gd, muon], weights: [3, 1]}, " +
				"momentum: {from: 0, to: 0.9}}}\n",
			[]string{"sample: 74 points are the same point as another"},
		},
		{
			"points that where excludes",
			rate + "grid: {optimizer: [gd, muon], momentum: [0.5, 0.9]}\n" +
				"where: optimizer == 'muon' or momentum == 0.5\n", nil,
		},
		{
			"a derived parameter reads the axis",
			gd + "grid: {momentum: [0.5, 0.9]}\nderive: {weight_decay: momentum}\n",
			[]string{"x.yaml:4:19: momentum: ignored, applies to no point of this sweep " +
				"(only where optimizer: momentum, muon, dynmuon, signum)"},
		},
	} {
		spec, err := sweep.Parse("x.yaml", []byte(coincideHead+c.rest), sweep.Limits{})
		if err != nil {
			t.Fatal(c.name, err)
		}
		if got := spec.Warnings(); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// Of ten million points a sample is looked at.
func TestCoincidingPointsOfALargeSweep(t *testing.T) {
	for rest, want := range map[string][]string{
		"learning_rate: 0.01}\ngrid: {optimizer: [gd, muon], momentum: [0.1, 0.2, 0.3, 0.4, 0.5], " +
			"teacher_norm2: {linspace: {from: 1, to: 2, num: 1000000}}}\n": {
			"momentum does not apply to optimizer gd: about 4000000 points are the same point as another",
		},
		"learning_rate: 0.01}\nzip: {optimizer: [gd, muon, gd], weight_decay: [0, 0, 0]}\n" +
			"grid: {teacher_norm2: {linspace: {from: 1, to: 2, num: 4000000}}}\n": {
			"zip rows 1 and 3 give the same point",
		},
	} {
		if got := parse(t, coincideHead+rest).Warnings(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", rest, got, want)
		}
	}
}

// BenchmarkParseMillion is a sweep of which every point is looked at, and none coincides.
func BenchmarkParseMillion(b *testing.B) {
	text := []byte(coincideHead + "optimizer: gd, learning_rate: 0.01}\n" +
		"grid: {teacher_norm2: {linspace: {from: 1, to: 2, num: 1000000}}}\n")
	for b.Loop() {
		if _, err := sweep.Parse(os.DevNull, text, sweep.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestWarningsMeanThatPointsCoincide: on small random sweeps, there is a warning if and only if two
// indices have the same point_id; weights of a sample excepted.
func TestWarningsMeanThatPointsCoincide(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		axis := func(name string, values ...string) string {
			n := rapid.IntRange(1, 3).Draw(r, name)
			var list []string
			for range n {
				list = append(list, rapid.SampledFrom(values).Draw(r, name))
			}
			return name + ": [" + strings.Join(list, ", ") + "]"
		}
		axes := []string{axis("optimizer", "gd", "adam", "muon", "{name: muon, orthogonalizer: exact}")}
		if rapid.Bool().Draw(r, "momentum") {
			axes = append(axes, axis("momentum", "0.5", "0.9", "0.95", "default"))
		}
		if rapid.Bool().Draw(r, "ns_steps") {
			axes = append(axes, axis("ns_steps", "3", "5"))
		}
		if rapid.Bool().Draw(r, "norm") {
			axes = append(axes, axis("teacher_norm2", "1", "2", "3"))
		}
		text := coincideHead + "learning_rate: 0.01}\ngrid: {" + strings.Join(axes, ", ") + "}\n"
		spec, err := sweep.Parse("x.yaml", []byte(text), sweep.Limits{})
		if err != nil {
			r.Fatalf("%s%v", text, err)
		}
		seen, coincide := map[[16]byte]bool{}, false
		for p := range spec.Points(0, spec.Size()) {
			id := sweep.PointID(p.Params, sweep.BuiltinSolver(1))
			coincide = coincide || seen[id]
			seen[id] = true
		}
		warned := slices.ContainsFunc(spec.Warnings(), func(w string) bool {
			return strings.Contains(w, "same point") || strings.Contains(w, "twice") || strings.Contains(w, "repeat")
		})
		if warned != coincide {
			r.Fatalf("points coincide: %v, warnings %q\n%s", coincide, spec.Warnings(), text)
		}
	})
}
