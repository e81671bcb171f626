package draw_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/phasegrid/phasegrid/sweep/draw"
)

// place is a uniform in cell k of 2^53.
func place(k uint64) draw.Uniform { return draw.Uniform{Cells: 1, Inside: k<<11 | 0x2a5} }

const lastPlace = 1<<53 - 1

func standard(t testing.TB) draw.Normal {
	n, ok := draw.NewNormal(0, 1, math.Inf(-1), math.Inf(1))
	if !ok {
		t.Fatal("the standard normal distribution is refused")
	}
	return n
}

const precision = 600

func number(x float64) *big.Float      { return new(big.Float).SetPrec(precision).SetFloat64(x) }
func add(x, y *big.Float) *big.Float   { return new(big.Float).SetPrec(precision).Add(x, y) }
func times(x, y *big.Float) *big.Float { return new(big.Float).SetPrec(precision).Mul(x, y) }
func over(x, y *big.Float) *big.Float  { return new(big.Float).SetPrec(precision).Quo(x, y) }

// exp is e^x by halving the argument.
func exp(x *big.Float) *big.Float {
	const halvings = 20
	r := new(big.Float).SetMantExp(x, -halvings)
	sum, term := number(1), number(1)
	for n := 1.0; n < 60; n++ {
		term = over(times(term, r), number(n))
		sum = add(sum, term)
	}
	for range halvings {
		sum = times(sum, sum)
	}
	return sum
}

// pi by Machin's formula.
func pi() *big.Float {
	arctan := func(n float64) *big.Float {
		sum, power := number(0), over(number(1), number(n))
		for k := 1.0; k < 900; k += 2 {
			sum = add(sum, over(power, number(k)))
			power = over(power, number(-n*n))
		}
		return sum
	}
	return times(number(4), add(times(number(4), arctan(5)), times(number(-1), arctan(239))))
}

// reference is the density at x and the probability of numbers below it, by the series
// 1/2 + density·Σ x^(2n+1)/(2n+1)!!, whose terms have one sign.
func reference(x float64, pi *big.Float) (density, below *big.Float) {
	square := times(number(x), number(x))
	density = exp(over(square, number(-2)))
	density = over(density, new(big.Float).SetPrec(precision).Sqrt(times(number(2), pi)))
	sum, term := number(0), number(x)
	for n := 1.0; n < 6000 && term.Sign() != 0 && (n < 400 || term.MantExp(nil) > -precision); n += 2 {
		sum = add(sum, term)
		term = over(times(term, square), number(n+2))
	}
	return density, add(number(0.5), times(density, sum))
}

// ulps tells how far x is from the number below which the probability is want.
func ulps(x float64, want, pi *big.Float) float64 {
	density, below := reference(x, pi)
	off, _ := over(add(below, times(number(-1), want)), density).Float64()
	_, e := math.Frexp(x)
	return math.Abs(off) / math.Ldexp(1, e-53)
}

// probability is the middle of cell k of 2^53.
func probability(k uint64) *big.Float {
	p := new(big.Float).SetPrec(precision).SetUint64(2*k + 1)
	return p.SetMantExp(p, -54)
}

// places are cells of 2^53 everywhere, more of them where formulas change and in the tails.
func places() []uint64 {
	r := rand.New(rand.NewPCG(3, 3))
	out := []uint64{0, 1, 2, 1<<52 - 1, 1 << 52, lastPlace - 1, lastPlace}
	edge := uint64(math.Floor(0.075 * (1 << 53))) // of 0.425
	far := uint64(math.Exp(-25) * (1 << 53))
	for range 25 {
		k := r.Uint64() >> (11 + r.IntN(53))
		out = append(out, k, lastPlace-k, 1<<52-k/2-1, edge+k%9-4, far+k%9-4, lastPlace-edge+k%9-4)
	}
	return out
}

// Quantiles are within 1.5 ulps: a relative error of 0.85·2^-53 from AS 241 and the rounding of its
// coefficients, and half an ulp from rounding the result.
func TestNormalQuantilesAreExactToAnUlpAndAHalf(t *testing.T) {
	n, p := standard(t), pi()
	worst := 0.0
	for _, k := range places() {
		x := n.At(place(k))
		off := ulps(x, probability(k), p)
		if worst = max(worst, off); off > 1.5 {
			t.Errorf("cell %d: %g is off by %g ulps", k, x, off)
		}
	}
	t.Logf("at most %.3g ulps", worst)
}

// Between bounds, the probability is that of the numbers between them.
func TestTruncatedNormalQuantiles(t *testing.T) {
	p := pi()
	inf := math.Inf(1)
	for _, b := range [][2]float64{
		{-1, 1}, {0, inf}, {-inf, -0.5}, {2, inf}, {5, 6}, {5.9, inf}, {-5.5, -5}, {-9, 12}, {-20, inf},
		{0.25, 0.2500001}, {-1e-6, 1e-6}, {-8.5, 8.4}, {-inf, 15},
	} {
		n, ok := draw.NewNormal(0, 1, b[0], b[1])
		if !ok {
			t.Errorf("%v is refused", b)
			continue
		}
		low, high := number(0), number(1)
		if b[0] > -inf {
			_, low = reference(b[0], p)
		}
		if b[1] < inf {
			_, high = reference(b[1], p)
		}
		before := -inf
		for _, k := range places() {
			x := n.At(place(k))
			if x < b[0] || x > b[1] {
				t.Errorf("%v: draws %g", b, x)
			}
			want := add(low, times(probability(k), add(high, times(number(-1), low))))
			if off := ulps(x, want, p); off > 1.5 && math.Abs(x) > 1e-12 {
				t.Errorf("%v: cell %d: %g is off by %g ulps", b, k, x, off)
			}
		}
		for k := uint64(0); k <= lastPlace; k += lastPlace / 20000 {
			if x := n.At(place(k)); x < before {
				t.Fatalf("%v: %g follows %g", b, x, before)
			} else {
				before = x
			}
		}
	}
}

// Between narrow bounds, where neighbouring cells have the same number, none is beyond them.
func TestNormalBetweenNarrowBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 5000 {
		mean, sd := r.NormFloat64(), r.ExpFloat64()
		from := mean + 2*sd*r.NormFloat64()
		to := from + sd*math.Exp(-5-12*r.Float64())
		n, ok := draw.NewNormal(mean, sd, from, to)
		for _, k := range []uint64{0, 1, lastPlace / 2, lastPlace - 1, lastPlace} {
			if x := n.At(place(k)); ok && (x < from || x > to) {
				t.Fatalf("mean %v, sd %v from %v to %v: cell %d has %v", mean, sd, from, to, k, x)
			}
		}
	}
}

// Of the standard normal distribution every cell has a number of its own, and the two halves are
// mirror images.
func TestNormalQuantilesRise(t *testing.T) {
	n := standard(t)
	for _, k := range places() {
		first := min(k, lastPlace-200)
		before := n.At(place(first))
		for k := first + 1; k < first+200; k++ {
			x := n.At(place(k))
			if x <= before {
				t.Fatalf("cell %d has %v after %v", k, x, before)
			}
			if mirrored := n.At(place(lastPlace - k)); mirrored != -x {
				t.Fatalf("cells %d and %d have %v and %v", k, lastPlace-k, x, mirrored)
			}
			before = x
		}
	}
}

// From tables: Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, table 26.5, and the
// ends of the range, from the reference.
func TestNormalQuantilesOfTables(t *testing.T) {
	n := standard(t)
	for p, want := range map[float64]float64{
		0.5: 0, 0.75: 0.6744897501960817, 0.9: 1.2815515655446004, 0.95: 1.6448536269514722,
		0.975: 1.959963984540054, 0.99: 2.3263478740408408, 0.999: 3.090232306167813, 0.025: -1.959963984540054,
	} {
		if got := n.At(place(uint64(p * (1 << 53)))); math.Abs(got-want) > 1e-13 {
			t.Errorf("the quantile of %g is %v, want %v", p, got, want)
		}
	}
	if got := n.At(draw.Uniform{Cells: 1}); math.Abs(got+8.292361075813595) > 1e-12 {
		t.Errorf("the first cell has %v", got)
	}
}

// Sobol's first point is 0: without a seed it is shifted to 1/3, and nothing is infinite.
func TestNormalOfSobolsFirstPoint(t *testing.T) {
	n := standard(t)
	first := draw.Points{Method: draw.Sobol, Num: 4}.Axis(2, draw.Unbounded).At(0)
	if got := first.Float(); math.Abs(got-1.0/3) > 1e-15 {
		t.Errorf("the first point is at %v, want 1/3", got)
	}
	if got := n.At(first); math.Abs(got+0.4307272992954576) > 1e-12 {
		t.Errorf("its number is %v", got)
	}
	for name, stream := range streams(1<<16, draw.Unbounded) {
		largest := 0.0
		for i := range int64(1 << 16) {
			largest = max(largest, math.Abs(n.At(stream.At(i))))
		}
		if !(largest > 4 && largest < 6.2) { // one in 2^16 is beyond 4.3, one in 2^30 beyond 6.1
			t.Errorf("%s: of 2^16 points the largest is %g", name, largest)
		}
	}
}

func TestNormalMoments(t *testing.T) {
	const num = 1 << 14
	for _, c := range []struct{ from, to, mean, variance float64 }{
		{math.Inf(-1), math.Inf(1), 0, 1},
		{0, math.Inf(1), 0.7978845608028654, 1 - 2/math.Pi}, // half-normal
		{-1, 1, 0, 0.29112509477279243},                     // 1 - 2φ(1)/(Φ(1) - Φ(-1))
	} {
		n, _ := draw.NewNormal(10, 3, 10+3*c.from, 10+3*c.to)
		for name, stream := range streams(num, draw.Unbounded) {
			sum, squares := 0.0, 0.0
			for i := range int64(num) {
				z := (n.At(stream.At(i)) - 10) / 3
				sum += z
				squares += (z - c.mean) * (z - c.mean)
			}
			tolerance := 0.002
			if name[0] == 'r' {
				tolerance = 5 / math.Sqrt(num)
			}
			if math.Abs(sum/num-c.mean) > tolerance || math.Abs(squares/num-c.variance) > 2*tolerance {
				t.Errorf("%s from %g to %g: mean %g, variance %g, want %g and %g", name, c.from, c.to,
					sum/num, squares/num, c.mean, c.variance)
			}
		}
	}
}

func TestNormalWithLittleBetweenItsBounds(t *testing.T) {
	inf := math.Inf(1)
	for _, b := range [][2]float64{{7, inf}, {-inf, -7}, {100, 101}, {0, 1e-9}, {-40, -20}} {
		if _, ok := draw.NewNormal(0, 1, b[0], b[1]); ok {
			t.Errorf("%v is taken", b)
		}
	}
	// The largest and smallest numbers.
	for _, c := range [][4]float64{{1e250, 1e250, -inf, inf}, {0, 1e-250, -inf, inf}, {-1e250, 1e-250, -inf, inf},
		{0, 1e250, -math.MaxFloat64, math.MaxFloat64}, {0, 1e-250, -1e-250, math.MaxFloat64}} {
		n, ok := draw.NewNormal(c[0], c[1], c[2], c[3])
		for _, k := range places() {
			if x := n.At(place(k)); !ok || x != x || math.IsInf(x, 0) {
				t.Fatalf("%v: cell %d has %g, %v", c, k, x, ok)
			}
		}
	}
}

func BenchmarkNormal(b *testing.B) {
	n := standard(b)
	for i := uint64(0); b.Loop(); i++ {
		n.At(draw.Uniform{Cells: 1, Inside: draw.Mix(i)})
	}
}

func BenchmarkNewNormal(b *testing.B) {
	for b.Loop() {
		draw.NewNormal(0, 1, -15.9, 15.9)
	}
}
