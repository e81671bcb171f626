package sweep_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

const sampledSpec = `
name: sample
fixed: {covariance: spiked, dimension: 100, steps: 10, init_scale: 0.1, optimizer: momentum}
sample:
  method: %s
  num: %d
%s  axes:
    anisotropy: {from: 0, to: 1}
    teacher_norm2: {from: 1, to: 2}
    teacher_index: {from: 0, to: 7}
    learning_rate: {from: 0.001, to: 10, log: true}
    momentum: {from: 0, to: 0.5}
    schedule: [constant, cosine]
`

// columns are the numbers of a sample, mapped back to [0, 1).
func columns(t *testing.T, method string, num int64, seed string) [][]float64 {
	spec := parse(t, fmt.Sprintf(sampledSpec, method, num, seed))
	out := make([][]float64, 6)
	for p := range spec.Points(0, spec.Size()) {
		a := p.Params
		cosine := 0.0
		if a[sweep.Schedule].Text() == "cosine" {
			cosine = 0.5
		}
		for i, u := range []float64{a[sweep.Anisotropy].Float(), a[sweep.TeacherNorm2].Float() - 1,
			float64(a[sweep.TeacherIndex].Int()) / 8,
			math.Log(a[sweep.LearningRate].Float()/0.001) / math.Log(10/0.001),
			a[sweep.Momentum].Float() / 0.5, cosine} {
			out[i] = append(out[i], u)
		}
	}
	return out
}

// counts of numbers in equal cells of [0, 1).
func histogram(x []float64, cells int) []int {
	out := make([]int, cells)
	for _, u := range x {
		out[min(cells-1, int(u*float64(cells)+1e-9))]++
	}
	return out
}

func TestSobolFillsEveryElementaryInterval(t *testing.T) {
	for _, seed := range []string{"", "  seed: 5\n"} {
		x := columns(t, "sobol", 256, seed)
		for i, cells := range []int{256, 256, 8, 256, 256, 2} {
			for cell, n := range histogram(x[i], cells) {
				if n != 256/cells {
					t.Errorf("seed %q: axis %d has %d of 256 points in cell %d of %d", seed, i, n, cell, cells)
				}
			}
		}
		// The first two dimensions are a (0, 8, 2)-net: 16 x 16 boxes have one point each.
		boxes := map[[2]int]int{}
		for k := range x[0] {
			boxes[[2]int{int(x[0][k] * 16), int(x[1][k] * 16)}]++
		}
		if len(boxes) != 256 {
			t.Errorf("seed %q: %d of 256 boxes of the first two axes are hit", seed, len(boxes))
		}
	}
	// The sequence of Joe and Kuo begins 0, 1/2, then 1/4 and 3/4 in gray-code-free order.
	x := columns(t, "sobol", 8, "")
	if want := []float64{0, 0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875}; !slices.Equal(x[0], want) {
		t.Errorf("the first axis is %v, want %v", x[0], want)
	}
}

func TestLatinHypercubeHasOnePointInEachCell(t *testing.T) {
	for _, num := range []int64{1, 7, 100, 129} {
		x := columns(t, "lhs", num, "  seed: 9\n")
		for _, axis := range []int{0, 1, 3, 4} {
			for cell, n := range histogram(x[axis], int(num)) {
				if n != 1 {
					t.Errorf("num %d: axis %d has %d points in cell %d", num, axis, n, cell)
				}
			}
		}
		if num > 7 && slices.Equal(x[0], x[4]) {
			t.Error("two axes have the same permutation")
		}
	}
}

func TestRandomSampleIsUniformAndSeeded(t *testing.T) {
	x := columns(t, "random", 20000, "  seed: 1\n")
	for axis, cells := range []int{20, 20, 8, 20, 20, 2} {
		// Pearson's chi-squared has mean cells-1 and variance 2(cells-1); five deviations.
		want, chi := 20000/float64(cells), 0.0
		for _, n := range histogram(x[axis], cells) {
			chi += (float64(n) - want) * (float64(n) - want) / want
		}
		if df := float64(cells - 1); chi > df+5*math.Sqrt(2*df) {
			t.Errorf("axis %d: chi-squared %.1f with %d cells", axis, chi, cells)
		}
	}
	if y := columns(t, "random", 20000, "  seed: 2\n"); slices.Equal(x[0], y[0]) {
		t.Error("seeds 1 and 2 give the same sample")
	}
}

// Any point of a sample costs the same, however many there are.
func TestSampleOfABillionPoints(t *testing.T) {
	for _, method := range []string{"sobol", "random", "lhs"} {
		spec := parse(t, fmt.Sprintf(sampledSpec, method, 1_000_000_000, "  seed: 4\n"))
		p, ok := spec.Point(999_999_999)
		if !ok || p.Invalid != "" || p.Params[sweep.LearningRate].Float() < 0.001 ||
			p.Params[sweep.LearningRate].Float() > 10 {
			t.Errorf("%s: the last point is %v, %v", method, p, ok)
		}
	}
}
