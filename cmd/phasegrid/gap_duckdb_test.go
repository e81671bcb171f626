//go:build duckdb

package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/phasegrid/phasegrid/sweep"
)

// gapCases are covariances with their eigenvalues before normalisation, and the value that the
// largest competes with; 0: the next distinct one.
var gapCases = map[string][]struct {
	fixed       string
	eigenvalues []float64
	competitor  float64
}{
	"isotropic": {{"dimension: 5, scale: 3", slices.Repeat([]float64{3}, 5), 0}},
	"spiked": {
		{"dimension: 20, anisotropy: 1", append(slices.Repeat([]float64{1}, 19), 2), 1},
		{"dimension: 20, anisotropy: 9", append(slices.Repeat([]float64{1}, 19), 10), 1},
		{"dimension: 2, anisotropy: 0.5", []float64{1, 1.5}, 1},
		{"dimension: 20, anisotropy: -0.5", append(slices.Repeat([]float64{1}, 19), 0.5), 1},
	},
	"multi_spike": {
		{"dimension: 6, spikes: [3, 8, 7.5]", []float64{1, 4, 9, 8.5, 1, 1}, 1},
		{"dimension: 3, spikes: [-0.5, -0.25]", []float64{1, 0.5, 0.75}, 1},
	},
	"power_law": {
		{"dimension: 1, exponent: 1", powers(1, 1), 0},
		{"dimension: 20, exponent: 0", powers(20, 0), 0},
		{"dimension: 32, exponent: 0.5", powers(32, 0.5), 0},
		{"dimension: 1000, exponent: 1", powers(1000, 1), 0},
		{"dimension: 100000, exponent: 0.999", powers(100000, 0.999), 0},
		{"dimension: 3000, exponent: 7.5", powers(3000, 7.5), 0},
	},
	"block": {
		{"dimension: 12, blocks: [[4, 3], [1, 8], [9, 1]]", []float64{4, 4, 4, 1, 1, 1, 1, 1, 1, 1, 1, 9}, 0},
		{"dimension: 4, blocks: [[2, 2], [2, 2]]", []float64{2, 2, 2, 2}, 0},
	},
	"custom": {
		{"dimension: 4, eigenvalues: [1, 5, 5, 2.5]", []float64{1, 5, 5, 2.5}, 0},
		{"dimension: 1, eigenvalues: [4]", []float64{4}, 0},
	},
	"ar1": {
		{"dimension: 1, teacher: uniform, rho: 0.5", ar1(1, 0.5), 0},
		{"dimension: 2, teacher: uniform, rho: 0.5", ar1(2, 0.5), 0},
		{"dimension: 30, teacher: uniform, rho: 0.9", ar1(30, 0.9), 0},
		{"dimension: 30, teacher: uniform, rho: -0.3", ar1(30, -0.3), 0},
		{"dimension: 12, teacher: uniform, rho: 0.9999999", ar1(12, 0.9999999), 0},
		{"dimension: 7, teacher: uniform, rho: 0", ar1(7, 0), 0},
	},
}

func powers(d int, p float64) []float64 {
	q := make([]float64, d)
	for i := range q {
		q[i] = math.Pow(float64(i+1), -p)
	}
	return q
}

func ar1(d int, rho float64) []float64 {
	q := mat.NewSymDense(d, nil)
	for i := range d {
		for j := range i + 1 {
			q.SetSym(i, j, math.Pow(rho, float64(i-j)))
		}
	}
	var e mat.EigenSym
	e.Factorize(q, false)
	return e.Values(nil)
}

func TestSpectralGapOfEveryCovariance(t *testing.T) {
	for _, family := range sweep.Covariances() {
		t.Run(family.Name, func(t *testing.T) {
			if len(gapCases[family.Name]) == 0 {
				t.Fatal("no case of the covariance")
			}
			for _, c := range gapCases[family.Name] {
				normalize := "none, trace_d, trace_1, max_1"
				if !family.Diagonal {
					normalize = "none, trace_d"
				}
				set := runSweep(t, fmt.Sprintf(`
name: gap
fixed: {optimizer: gd, learning_rate: 1.0e-6, init_scale: 0.01, steps: 1, covariance: %s, %s}
grid: {normalize: [%s]}
record: none`, family.Name, c.fixed, normalize))
				got := phasegrid(t, "query", "--set", set.Dir(), "--format", "csv",
					"SELECT normalize, spectral_gap FROM escape")
				rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
				if got.code != exitDone || err != nil || len(rows) != 1+len(strings.Split(normalize, ", ")) {
					t.Fatalf("exit code %d, %v\n%s%s", got.code, err, got.stdout, got.stderr)
				}
				q := slices.Sorted(slices.Values(c.eigenvalues))
				top := q[len(q)-1]
				competitor := c.competitor
				for i := len(q) - 1; i >= 0 && competitor == 0; i-- {
					if q[i] < top*(1-1e-12) {
						competitor = q[i]
					}
				}
				if competitor == 0 {
					competitor = top
				}
				scale := map[string]float64{"none": 1, "trace_d": float64(len(q)) / floats.Sum(q),
					"trace_1": 1 / floats.Sum(q), "max_1": 1 / top}
				for _, row := range rows[1:] {
					x, err := strconv.ParseFloat(row[1], 64)
					want := scale[row[0]] * (top - competitor)
					if err != nil || math.Abs(x-want) > 1e-13*top*scale[row[0]] {
						t.Errorf("%s, normalize: %s: got %q, want %v", c.fixed, row[0], row[1], want)
					}
				}
			}
		})
	}
}
