package exact

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRoundLogspaceIsTheList(t *testing.T) {
	type drawn struct {
		first    int64
		exponent int
		ratio    string // decimal, as is its every power
		num      int64
	}
	axes := rapid.Custom(func(t *rapid.T) drawn {
		return drawn{
			rapid.Int64Range(1, 1000).Draw(t, "first"),
			rapid.IntRange(-12, 6).Draw(t, "exponent"),
			rapid.SampledFrom(
				[]string{"10", "0.1", "100", "2", "0.5", "4", "5", "0.2", "1.5", "1.1", "0.9", "3", "1"},
			).Draw(
				t,
				"ratio",
			),
			rapid.Int64Range(1, 20).Draw(t, "num"),
		}
	})
	for seed := range roundAxisCount {
		x := axes.Example(seed)
		value, ratio := fraction(t, fmt.Sprintf("%de%d", x.first, x.exponent)), fraction(t, x.ratio)
		var want []float64
		var from, to string
		for i := range x.num {
			digits, _ := value.FloatPrec()
			to = value.FloatString(digits)
			if i == 0 {
				from = to
			}
			want = append(want, parsed(t, to))
			value.Mul(value, ratio)
		}
		got := entries(Logarithmic(literal(t, from), literal(t, to), x.num), x.num)
		if !slices.Equal(got, want) {
			t.Fatalf("logspace %s..%s in %d gives %v, want %v", from, to, x.num, got, want)
		}
	}
}

// geometricAxis is an axis of random ends.
type geometricAxis struct {
	from, to string
	last, i  int64
}

func geometricAxes(last *rapid.Generator[int64]) *rapid.Generator[geometricAxis] {
	return rapid.Custom(func(t *rapid.T) geometricAxis {
		x := geometricAxis{from: randomEnd(t, "from"), to: randomEnd(t, "to"), last: last.Draw(t, "last")}
		x.i = rapid.Int64Range(0, x.last).Draw(t, "i")
		return x
	}).Filter(func(x geometricAxis) bool { return x.from != x.to })
}

func (x geometricAxis) progression(t testing.TB) *geometricProgression {
	t.Helper()
	p, ok := Logarithmic(literal(t, x.from), literal(t, x.to), x.last+1).(*geometricProgression)
	if !ok {
		t.Fatalf("%v is no geometric progression", x)
	}
	return p
}

func TestGeometricEntriesAreCorrectlyRounded(t *testing.T) {
	for name, axes := range map[string]*rapid.Generator[geometricAxis]{
		"short": geometricAxes(rapid.Int64Range(1, 30)),
		"long":  geometricAxes(rapid.Int64Range(30, 500_000)),
	} {
		for seed := range 3000 {
			x := axes.Example(seed)
			got := x.progression(t).At(x.i)
			if !isRounded(t, got, fraction(t, x.from), fraction(t, x.to), x.i, x.last) {
				t.Fatalf("%s: entry %d of logspace %s..%s in %d is not %v", name, x.i, x.from, x.to, x.last+1, got)
			}
		}
	}
}

// isRounded tells whether f is the float64 nearest to from·(to/from)^(i/last), by comparing powers
// of the midpoints between f and its neighbours: no root is taken.
func isRounded(t *testing.T, f float64, from, to *big.Rat, i, last int64) bool {
	t.Helper()
	ratio := new(big.Rat).Quo(to, from)
	midpoint := func(g float64) *big.Rat {
		sum := new(big.Rat).Add(new(big.Rat).SetFloat64(f), new(big.Rat).SetFloat64(g))
		return sum.Quo(sum, big.NewRat(2, 1))
	}
	// above is the sign of (limit/from)^last - ratio^i.
	above := func(limit *big.Rat) int {
		base := new(big.Rat).Quo(limit, from)
		left := power(new(big.Float).SetPrec(512).SetRat(base), last)
		right := power(new(big.Float).SetPrec(512).SetRat(ratio), i)
		difference := left.Quo(left, right)
		difference.Sub(difference, big.NewFloat(1))
		if difference.Sign() != 0 && difference.MantExp(nil) > -400 {
			return difference.Sign()
		}
		if last > 100 {
			t.Fatalf("%v is too close to a midpoint to tell", f)
		}
		return ratPower(base, last).Cmp(ratPower(ratio, i))
	}
	even := math.Float64bits(f)&1 == 0
	upper, lower := above(midpoint(math.Nextafter(f, math.Inf(1)))), above(midpoint(math.Nextafter(f, 0)))
	return (upper > 0 || upper == 0 && even) && (lower < 0 || lower == 0 && even)
}

func ratPower(x *big.Rat, n int64) *big.Rat {
	exponent := big.NewInt(n)
	return new(big.Rat).SetFrac(new(big.Int).Exp(x.Num(), exponent, nil), new(big.Int).Exp(x.Denom(), exponent, nil))
}

// The error bound of the tables is held against the slow path at ten times the precision.
func TestGeometricErrorIsBounded(t *testing.T) {
	axes := geometricAxes(rapid.OneOf(rapid.Int64Range(1, 1000), rapid.Int64Range(1, maxEntries-1)))
	worst := 0.0
	for seed := range 2000 {
		x := axes.Example(seed)
		if seed%4 == 0 {
			x.i = x.last // as many factors as there are digits
		}
		g := x.progression(t)
		want := power(g.newRoot(1000), x.i)
		want.Mul(want, new(big.Float).SetPrec(1000).SetRat(g.first))
		product := g.product(x.i)
		got := new(big.Float).SetPrec(128).SetInt(product.mantissa.integer())
		difference := new(big.Float).SetPrec(1000).SetMantExp(want, -product.exp)
		units, _ := difference.Sub(difference, got).Float64()
		if worst = max(worst, math.Abs(units)); worst > geometricError || units < -1e-30 {
			t.Fatalf("entry %d of %v has an error of %v units", x.i, x, units)
		}
	}
	t.Logf("largest error %.1f units of %d", worst, geometricError)
}

func TestGeometricSlowPathAgrees(t *testing.T) {
	axes := geometricAxes(rapid.OneOf(rapid.Int64Range(1, 1000), rapid.Int64Range(1, maxEntries-1)))
	for seed := range 2000 {
		x := axes.Example(seed)
		g := x.progression(t)
		if fast, slow := g.At(x.i), g.slow(x.i); fast != slow {
			t.Fatalf("entry %d of %v is %v by tables and %v without", x.i, x, fast, slow)
		}
	}
}

// Each entry between the ends of these axes is within 1 part in 10^30 or 10^99 of a midpoint.
func TestGeometricEntriesBesideTies(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     float64
	}{
		{"9007199254740993", "9007199254740993.00000000000000000000000000000001", 9007199254740994},
		{"9007199254740993", "9007199254740992.99999999999999999999999999999999", 9007199254740992},
		{"9007199254740995", "9007199254740995." + strings.Repeat("0", 83) + "1", 9007199254740996},
		{"9007199254740995", "9007199254740994." + strings.Repeat("9", 84), 9007199254740994},
	} {
		p := Logarithmic(literal(t, c.from), literal(t, c.to), maxEntries)
		for i := int64(1); i < maxEntries; i *= 3 {
			if got := p.At(i); got != c.want {
				t.Errorf("entry %d of logspace %s..%s is %v, want %v", i, c.from, c.to, got, c.want)
			}
		}
	}
}

func TestRationalEntries(t *testing.T) {
	for _, c := range []struct {
		from, to string
		num      int64
		rational []int64
	}{
		{"1e-5", "1", 6, []int64{0, 1, 2, 3, 4, 5}},
		{"1e-5", "1", 11, []int64{0, 2, 4, 6, 8, 10}},
		{"1", "64", 5, []int64{0, 2, 4}},
		{"1", "64", 10, []int64{0, 3, 6, 9}},
		{"2", "3", 7, []int64{0, 6}},
		{"1", "36", 3, []int64{0, 1, 2}},
		{"0.3", "2.7", 3, []int64{0, 1, 2}},
		{"1", "1000000000000000000000000000000000000000000000001", 5, []int64{0, 4}},
	} {
		p := Logarithmic(literal(t, c.from), literal(t, c.to), c.num)
		var got []int64
		for i := range c.num {
			value, ok := p.Exact(i)
			if !ok {
				continue
			}
			got = append(got, i)
			// value^last = from^(last-i)·to^i
			last := c.num - 1
			want := new(big.Rat).Mul(ratPower(fraction(t, c.from), last-i), ratPower(fraction(t, c.to), i))
			if ratPower(value, last).Cmp(want) != 0 {
				t.Errorf("entry %d of logspace %s..%s in %d is not %v", i, c.from, c.to, c.num, value)
			}
		}
		if !slices.Equal(got, c.rational) {
			t.Errorf("logspace %s..%s in %d is rational at %v, want %v", c.from, c.to, c.num, got, c.rational)
		}
	}
}

func TestRootEndsWhateverTheDegree(t *testing.T) {
	for _, text := range []string{
		"1e600", "1e-600", "1.0000000000000000000000000001", "0.99999999999999999999", "2", "7e-20",
	} {
		for _, n := range []int64{1, 2, 3, 10, 9_999_999, 1<<40 - 1, 1 << 40} {
			for _, precision := range []uint{8, 60, 256, 1024} {
				x := new(big.Float).SetPrec(2048).SetRat(fraction(t, text))
				y := new(
					big.Float,
				).SetPrec(
					2048,
				).Set(
					root(new(big.Float).SetPrec(precision+rootGuard).Set(x), n, precision),
				)
				residual := power(y, n)
				residual.Quo(x, residual)
				residual.Sub(residual, big.NewFloat(1))
				if residual.Sign() != 0 && residual.MantExp(nil) > 1-int(precision) {
					t.Errorf("root %d of %s to %d bits has the residual %v", n, text, precision, residual)
				}
			}
		}
	}
}
