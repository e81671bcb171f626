package elementary_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/phasegrid/phasegrid/sweep/elementary"
)

const bits = 300

func number(x float64) *big.Float      { return new(big.Float).SetPrec(bits).SetFloat64(x) }
func add(x, y *big.Float) *big.Float   { return new(big.Float).SetPrec(bits).Add(x, y) }
func times(x, y *big.Float) *big.Float { return new(big.Float).SetPrec(bits).Mul(x, y) }
func over(x, y *big.Float) *big.Float  { return new(big.Float).SetPrec(bits).Quo(x, y) }

// artanh2 is 2 artanh(s) for |s| < 0.4.
func artanh2(s *big.Float) *big.Float {
	sum, power, square := number(0), times(s, number(2)), times(s, s)
	for n := 1.0; n < 260; n += 2 {
		sum, power = add(sum, over(power, number(n))), times(power, square)
	}
	return sum
}

func bigLog(x float64) *big.Float {
	m, k := math.Frexp(x)
	ln2 := artanh2(over(number(1), number(3)))
	return add(artanh2(over(add(number(m), number(-1)), add(number(m), number(1)))), times(ln2, number(float64(k))))
}

func bigExp(x *big.Float) *big.Float {
	ln2 := artanh2(over(number(1), number(3)))
	quotient, _ := over(x, ln2).Float64()
	k := math.Round(quotient)
	r := add(x, times(ln2, number(-k)))
	sum, term := number(1), number(1)
	for n := 1.0; n < 80; n++ {
		term = over(times(term, r), number(n))
		sum = add(sum, term)
	}
	return sum.SetMantExp(sum, int(k))
}

// bigSinCos are sine and cosine of t turns.
func bigSinCos(t float64) (sin, cos *big.Float) {
	// Machin's formula.
	arctan := func(n float64) *big.Float {
		sum, power := number(0), over(number(1), number(n))
		for k := 1.0; k < 460; k += 4 {
			sum = add(sum, over(power, number(k)))
			power = over(power, number(-n*n))
			sum = add(sum, over(power, number(k+2)))
			power = over(power, number(-n*n))
		}
		return sum
	}
	pi := times(number(4), add(times(number(4), arctan(5)), times(number(-1), arctan(239))))
	x := times(times(number(2), pi), number(t-math.Round(t)))
	sin, cos = number(0), number(0)
	term := number(1)
	for n := 1.0; n < 120; n += 2 {
		cos = add(cos, term)
		term = over(times(term, x), number(n))
		sin = add(sin, term)
		term = over(times(term, x), number(-(n + 1)))
	}
	return sin, cos
}

// check tells by how many ulps got differs.
func check(t *testing.T, what string, args []float64, got float64, want *big.Float, limit float64) {
	t.Helper()
	rounded, _ := want.Float64()
	if math.IsInf(rounded, 0) || rounded == 0 || math.Abs(rounded) < 0x1p-1022 {
		if got != rounded && math.Abs(got-rounded) > 0x1p-1074 {
			t.Errorf("%s%v = %g, want %g", what, args, got, rounded)
		}
		return
	}
	_, e := math.Frexp(rounded)
	off, _ := add(number(got), times(number(-1), want)).Float64()
	if ulps := math.Abs(off) / math.Ldexp(1, e-53); !(ulps <= limit) {
		t.Errorf("%s%v = %g, want %g: off by %g ulp", what, args, got, rounded, ulps)
	}
}

const rounds = 1000

func TestFunctionsAreWithinAnUlp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	wide := func() float64 { return math.Exp(r.NormFloat64() * float64(r.IntN(200))) }
	check(t, "Log", []float64{5e-324}, elementary.Log(5e-324), bigLog(5e-324), 0.51) // math.Log is wrong there
	for range rounds {
		x := wide()
		if x > 0 && x <= math.MaxFloat64 {
			check(t, "Log", []float64{x}, elementary.Log(x), bigLog(x), 0.51)
		}
		near := 1 + (r.Float64()-0.5)*math.Ldexp(1, -r.IntN(52))
		check(t, "Log", []float64{near}, elementary.Log(near), bigLog(near), 0.51)

		x = r.NormFloat64() * math.Ldexp(1, r.IntN(70)-60)
		check(t, "Exp", []float64{x}, elementary.Exp(x), bigExp(number(x)), 0.51)
		if math.Abs(x) < 30 {
			check(t, "Expm1", []float64{x}, elementary.Expm1(x), add(bigExp(number(x)), number(-1)), 1)
		}

		x, p := wide(), r.NormFloat64()*math.Ldexp(1, r.IntN(20)-10)
		if x > 0 && x <= math.MaxFloat64 && math.Abs(p*math.Log(x)) < 744 {
			check(t, "Pow", []float64{x, p}, elementary.Pow(x, p), bigExp(times(bigLog(x), number(p))), 0.51)
		}

		turns := r.NormFloat64() * math.Ldexp(1, r.IntN(30)-20)
		sin, cos := elementary.SinCosTurns(turns)
		bigSin, bigCos := bigSinCos(turns)
		check(t, "sin", []float64{turns}, sin, bigSin, 1)
		check(t, "cos", []float64{turns}, cos, bigCos, 1)
	}
}

// Powers that are numbers are exact, so that pow(10, 3) of a sweep file is 1000.
func TestExactPowers(t *testing.T) {
	for x := -40.0; x <= 40; x++ {
		if x == 0 {
			continue
		}
		y := 1.0
		for n := 0.0; math.Abs(y) < 1<<53; n++ {
			if got := elementary.Pow(x, n); got != y {
				t.Errorf("%g^%g = %g, want %g", x, n, got, y)
			}
			if got := elementary.Pow(x, -n); got != 1/y {
				t.Errorf("%g^%g = %g, want %g", x, -n, got, 1/y)
			}
			if y *= x; x*x == 1 && n > 5 {
				break
			}
		}
		if x > 0 {
			if got := elementary.Pow(x*x, 0.5); got != x {
				t.Errorf("the root of %g is %g", x*x, got)
			}
			if got, want := elementary.Pow(x, 0.5), math.Sqrt(x); got != want {
				t.Errorf("the root of %g is %g, want %g", x, got, want)
			}
		}
	}
}

func TestSpecialValues(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	special := []float64{
		0,
		math.Copysign(0, -1),
		1,
		-1,
		2,
		-2,
		0.5,
		-0.5,
		3,
		inf,
		-inf,
		nan,
		5e-324,
		math.MaxFloat64,
		1e300,
	}
	same := func(a, b float64) bool {
		return a != a && b != b || math.Float64bits(a) == math.Float64bits(b) || math.Abs(a-b) < 1e-15*math.Abs(b)
	}
	for _, x := range special {
		if got, want := elementary.Exp(x), math.Exp(x); !same(got, want) {
			t.Errorf("Exp(%g) = %g, want %g", x, got, want)
		}
		if got, want := elementary.Expm1(x), math.Expm1(x); !same(got, want) {
			t.Errorf("Expm1(%g) = %g, want %g", x, got, want)
		}
		if got, want := elementary.Log(x), math.Log(x); x != 5e-324 && !same(got, want) {
			t.Errorf("Log(%g) = %g, want %g", x, got, want)
		}
		for _, p := range special {
			if got, want := elementary.Pow(x, p), math.Pow(x, p); !same(got, want) {
				t.Errorf("Pow(%g, %g) = %g, want %g", x, p, got, want)
			}
		}
	}
	for i := range 9 {
		sin, cos := elementary.SinCosTurns(float64(i) / 4)
		if want := [4][2]float64{{0, 1}, {1, 0}, {0, -1}, {-1, 0}}[i%4]; sin != want[0] || cos != want[1] {
			t.Errorf("%d quarter turns: %g, %g", i, sin, cos)
		}
	}
}

// Functions that rise do not fall between neighbouring numbers, also where the formula changes.
func TestMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	starts := []float64{0.34, -0.34, math.Sqrt2, math.Sqrt2 / 2, 1, 2, 0.5, math.Ln2 / 2, -math.Ln2 / 2, 1e-9}
	for range 200 {
		starts = append(starts, r.ExpFloat64())
	}
	cos := func(x float64) float64 { _, c := elementary.SinCosTurns(x / 2); return -c }
	for _, x := range starts {
		for range 40 {
			y := x
			x = math.Nextafter(y, -9)
			if elementary.Exp(x) > elementary.Exp(y) || elementary.Expm1(x) > elementary.Expm1(y) ||
				x > 0 && (elementary.Log(x) > elementary.Log(y) || elementary.Pow(x, 0.37) > elementary.Pow(y, 0.37)) ||
				x > 0 && y < 1 && cos(x) > cos(y) {
				t.Errorf("falls after %x", x)
			}
		}
	}
}
