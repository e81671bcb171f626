package solver

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// fisherYates is a permutation from its definition, of uniform numbers as the solver draws them.
func fisherYates(n int, uniform func() float64) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	for i := n - 1; i >= 1; i-- {
		j := min(i, int(math.Floor(uniform()*float64(i+1))))
		p[i], p[j] = p[j], p[i]
	}
	return p
}

func TestMinibatchVisitsEachPairOnceAnEpoch(t *testing.T) {
	for n := 1; n <= 40; n++ {
		for batch := 1; batch <= n; batch += 1 + n/7 {
			ws := newWorkspace(simd.Best())
			p := &Problem{Samples: n, Batch: batch, Dimension: 1}
			e, source := newEpochs(p, newRandom(uint64(n), ws), ws), newRandom(uint64(n), ws)
			all, now := newPairs(n, 1, ws), newPairs(batch, 1, ws)
			for i := range n {
				all.x[i], all.y[i] = float64(i), float64(i)+0.5
			}
			for epoch := range 4 {
				want, got := fisherYates(n, source.Uniform), []int{}
				for range n / batch {
					e.next(now, all)
					for i, x := range now.x {
						if now.y[i] != x+0.5 {
							t.Fatalf("n %d, batch %d: pair (%v, %v)", n, batch, x, now.y[i])
						}
						got = append(got, int(x))
					}
				}
				if !slices.Equal(got, want[:n/batch*batch]) {
					t.Fatalf("n %d, batch %d, epoch %d: %v, want the start of %v", n, batch, epoch, got, want)
				}
				slices.Sort(got)
				if len(slices.Compact(got)) != n/batch*batch {
					t.Fatalf("n %d, batch %d, epoch %d: a pair is visited twice", n, batch, epoch)
				}
			}
		}
	}
}

// One batch of all pairs is the gradient of the finite sample, whatever the order.
func TestMinibatchOfAllIsTheFiniteSample(t *testing.T) {
	p := Problem{Model: FiniteSample, Representation: Dense, Dimension: 7, Width: 3, Steps: 100, Samples: 30,
		LabelNoise: 0.1, Covariance: Covariance{Spectrum: []Run{{1, 2}, {5, 1}, {0.3, 4}}},
		Teacher: Teacher{Norm2: 1}, Init: Gaussian, InitScale: 0.2, Seed: 4, Optimizer: GD, LearningRate: 0.005,
		LRWarm: 100}
	q := p
	q.Model, q.Batch = Minibatch, 30
	results := make([]Result, 2)
	if err := New().Solve(context.Background(), []Problem{p, q}, results); err != nil {
		t.Fatal(err)
	}
	a, b := results[0].Final, results[1].Final
	if math.Abs(a.Loss-b.Loss) > 1e-13*a.Loss || math.Abs(a.SignalAlignment-b.SignalAlignment) > 1e-13 {
		t.Errorf("%+v and %+v", a, b)
	}
}

func TestMinibatchIsAtMostAllPairs(t *testing.T) {
	for _, batch := range []int{0, 31} {
		p := Problem{Model: Minibatch, Representation: Dense, Dimension: 2, Width: 2, Samples: 30, Batch: batch,
			Covariance: Covariance{Spectrum: []Run{{1, 2}}}, Teacher: Teacher{Norm2: 1}}
		if check(&p) == nil {
			t.Errorf("batch %d of 30 pairs is taken", batch)
		}
	}
}
