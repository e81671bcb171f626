package draw_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/phasegrid/phasegrid/sweep/draw"
)

// fraction is a uniform, exactly.
func fraction(u draw.Uniform) *big.Rat {
	inside := new(big.Rat).SetFrac(new(big.Int).SetUint64(u.Inside), new(big.Int).Lsh(big.NewInt(1), 64))
	inside.Add(inside, new(big.Rat).SetUint64(u.Cell))
	return inside.Quo(inside, new(big.Rat).SetUint64(u.Cells))
}

func TestBelowIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	word := func() uint64 { return r.Uint64() >> r.IntN(64) }
	for range 20000 {
		u := draw.Uniform{Cells: 1 + word()>>1, Inside: word() << r.IntN(64)}
		u.Cell = r.Uint64N(u.Cells)
		if r.IntN(4) == 0 {
			u.Cell, u.Inside = u.Cells-1, math.MaxUint64
		}
		n := max(1, word())
		want := fraction(u)
		want.Mul(want, new(big.Rat).SetUint64(n))
		if got := u.Below(n); got != new(big.Int).Quo(want.Num(), want.Denom()).Uint64() {
			t.Fatalf("%+v below %d is %d, want %v", u, n, got, want)
		}
		if f := u.Float(); !(f >= 0 && f < 1) {
			t.Fatalf("%+v is %g", u, f)
		}
	}
}

// streams are all methods with and without a seed, and so many points.
func streams(num int64, target draw.Target) map[string]*draw.Stream {
	out := map[string]*draw.Stream{}
	for i, name := range draw.Methods() {
		for seed := range uint64(3) {
			p := draw.Points{Method: draw.Method(i), Num: num, Seed: seed, Seeded: seed > 0}
			for k := range 4 {
				out[fmt.Sprint(name, " seed ", seed, " axis ", k)] = p.Axis(k, target)
			}
		}
	}
	return out
}

// A Latin hypercube draws each entry as often as its share says, rounded up or down, and so do the
// first 2^k points of Sobol's sequence without a seed; with one they are two off at most.
func TestWeightsAreProportions(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, num := range []int64{1, 2, 7, 64, 100, 1024} {
		for name, stream := range streams(num, draw.Entries) {
			shares := make([]uint64, 1+r.IntN(9))
			total := uint64(0)
			for i := range shares {
				shares[i] = 1 + r.Uint64N(1+r.Uint64N(1000))
				total += shares[i]
			}
			counts := make([]float64, len(shares))
			rule := draw.NewWeights(shares)
			for i := range num {
				counts[rule.Index(stream.At(i))]++
			}
			for i, count := range counts {
				p := float64(shares[i]) / float64(total)
				off, limit := math.Abs(count-p*float64(num)), 1.0
				switch name[0] {
				case 'r':
					limit = 6*math.Sqrt(float64(num)*p*(1-p)) + 1
				case 's':
					if limit = 2; bits.OnesCount64(uint64(num)) > 1 {
						limit = 2 + math.Log2(float64(num))
					}
				}
				if off >= limit+1e-9 {
					t.Errorf("%s, %d points: entry %d of %v is drawn %g times", name, num, i, shares, count)
				}
			}
		}
	}
}

// Over many seeds, each of three equal entries is drawn equally often by one point, and by two.
func TestEvenPlacesAreUnbiased(t *testing.T) {
	rule := draw.NewWeights([]uint64{1, 1, 1})
	for _, num := range []int64{1, 2} {
		counts := make([]float64, 3)
		for seed := range uint64(3000) {
			stream := draw.Points{Method: draw.Latin, Num: num, Seed: seed, Seeded: true}.Axis(0, draw.Entries)
			for i := range num {
				counts[rule.Index(stream.At(i))]++
			}
		}
		for i, count := range counts {
			if mean := 1000 * float64(num); math.Abs(count-mean) > 6*math.Sqrt(mean) {
				t.Errorf("%d points: entry %d is drawn %g times, want about %g", num, i, count, mean)
			}
		}
	}
}

func TestEveryWeightIsDrawnFromItsPlaces(t *testing.T) {
	shares := []uint64{3, 1, 1 << 40, 2}
	rule, at := draw.NewWeights(shares), uint64(0)
	total := uint64(1<<40 + 6)
	for i, share := range shares {
		for _, place := range []uint64{at, at + share - 1} {
			if got := rule.Index(draw.Uniform{Cell: place, Cells: total, Inside: math.MaxUint64}); got != i {
				t.Errorf("place %d of %d draws entry %d, want %d", place, total, got, i)
			}
		}
		at += share
	}
}

func TestRanges(t *testing.T) {
	r := draw.Range{From: 3, To: 5, Whole: true}
	got := []float64{}
	for k := range uint64(6) {
		got = append(got, r.At(draw.Uniform{Cell: k, Cells: 6}))
	}
	if want := []float64{3, 3, 4, 4, 5, 5}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	top := draw.Uniform{Cells: 1, Inside: math.MaxUint64}
	for _, r := range []draw.Range{
		{From: 1, To: 3}, {From: 1, To: 3, Log: true}, {From: 1, To: 3, Log: true, Whole: true},
	} {
		if low, high := r.At(draw.Uniform{Cells: 1}), r.At(top); low != 1 || high > 3 || high < 2.999 {
			t.Errorf("%+v draws from %g to %g", r, low, high)
		}
	}
}

// The bits of every rule and every stream: the same on all architectures, and for good, since they
// are values of existing sweeps.
func TestBitsOfDraws(t *testing.T) {
	hash := sha256.New()
	put := func(x float64) { binary.Write(hash, binary.LittleEndian, x) }
	normal, _ := draw.NewNormal(0.3, 2, math.Inf(-1), math.Inf(1))
	cut, _ := draw.NewNormal(0.3, 2, 1, 1000)
	weights := draw.NewWeights([]uint64{1, 2, 3, 1 << 45})
	for _, num := range []int64{1, 100, 1 << 40} {
		for _, target := range []draw.Target{draw.Interval, draw.Unbounded, draw.Entries} {
			all := streams(num, target)
			var names []string
			for name := range all {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				for i := range min(num, 100) {
					u := all[name].At(i * (num / min(num, 100)))
					put(u.Float())
					put(normal.At(u))
					put(cut.At(u))
					put(float64(weights.Index(u)))
					put(draw.Range{From: 0.1, To: 7}.At(u))
					put(draw.Range{From: 0.1, To: 7, Log: true}.At(u))
					put(draw.Range{From: 2, To: 9, Log: true, Whole: true}.At(u))
				}
			}
		}
	}
	if got := fmt.Sprintf("%x", hash.Sum(nil)[:8]); got != goldenBits {
		t.Errorf("the bits are %s, want %s", got, goldenBits)
	}
}

const goldenBits = "9790509e681ce36e"
