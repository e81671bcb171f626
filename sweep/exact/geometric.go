package exact

import (
	"math"
	"math/big"
)

// geometricProgression is first·ratio^(i/last). An entry is computed as a product of tabulated
// powers, on 126 bits with a bound on the error. Where the bound leaves two float64 to choose from,
// more bits are used (Ziv's strategy): a rational entry is computed exactly, and an irrational one
// is no midpoint of two float64, so that enough bits decide.
type geometricProgression struct {
	first, ratio *big.Rat   // above 0; ratio is not 1
	last         int64      // at least 1
	root         *big.Float // ratio^(1/last)
	start        wideFloat  // first
	// powers[k][d-1] is ratio^(d·16^k/last).
	powers [][15]wideFloat
}

// geometricBits is the precision of root and of the powers before they are tabulated. It decides
// all entries of 2^40 between ends of maxDigits digits that are equal but for the last digit, even
// if they are midpoints of two float64: that takes maxDigits·log2(10) + 40 = 373 bits.
const geometricBits = 448

// geometricError bounds the error of an entry in units of its mantissa: an entry has up to 11
// factors rounded down and 10 products rounded down (2^40 entries have 10 hexadecimal digits). Each
// takes off less than 1 part in 2^125, together less than 22 in 2^125, and a mantissa is below
// 2^126. The errors of 1 part in 2^440 before rounding are far below the rest.
const geometricError = 64

func newGeometric(first, ratio *big.Rat, num int64) *geometricProgression {
	g := &geometricProgression{first: first, ratio: ratio, last: num - 1}
	g.root = g.newRoot(geometricBits)
	g.start = newWideFloat(new(big.Float).SetPrec(geometricBits).SetRat(first))
	base := g.root
	for rest := g.last; rest > 0; rest >>= 4 {
		var level [15]wideFloat
		next := new(big.Float).Copy(base)
		for d := range level {
			level[d] = newWideFloat(next)
			next.Mul(next, base)
		}
		g.powers, base = append(g.powers, level), next
	}
	return g
}

func (g *geometricProgression) At(i int64) float64 {
	product := g.product(i)
	m, margin := product.mantissa, wide{0, geometricError}
	if f, decided := between(m.minus(margin), m.plus(margin), product.exp); decided {
		return f
	}
	return g.slow(i)
}

// product is entry i to geometricError units of its mantissa.
func (g *geometricProgression) product(i int64) wideFloat {
	product := g.start
	for k := 0; i > 0; k, i = k+1, i>>4 {
		if d := i & 15; d > 0 {
			product = product.times(g.powers[k][d-1])
		}
	}
	return product
}

// slow is at without the tables.
func (g *geometricProgression) slow(i int64) float64 {
	if f, decided := g.rounded(g.root, geometricBits, i); decided {
		return f
	}
	if value, rational := g.Exact(i); rational {
		return nearest(value)
	}
	for precision := uint(2 * geometricBits); ; precision *= 2 {
		if f, decided := g.rounded(g.newRoot(precision), precision, i); decided {
			return f
		}
	}
}

// rounded is entry i by a root of the given precision, if that is enough to decide.
func (g *geometricProgression) rounded(root *big.Float, precision uint, i int64) (f float64, decided bool) {
	value := power(root, i)
	value.Mul(value, new(big.Float).SetPrec(value.Prec()).SetRat(g.first))
	// The error is below 1 part in 2^(precision-3): 2^(2-precision) from the root, and less than
	// 2i·2^-(precision+rootGuard) from rounding.
	margin := new(big.Float).SetMantExp(value, 4-int(precision))
	low, _ := new(big.Float).Sub(value, margin).Float64()
	high, _ := new(big.Float).Add(value, margin).Float64()
	return low, low == high
}

// Exact is entry i where it is rational: i/last in lowest terms is p/s, and the fraction ratio has
// an s-th root.
func (g *geometricProgression) Exact(i int64) (value *big.Rat, ok bool) {
	common := new(big.Int).GCD(nil, nil, big.NewInt(i), big.NewInt(g.last)).Int64()
	p, s := i/common, g.last/common
	num, ok1 := exactRoot(g.ratio.Num(), s)
	denom, ok2 := exactRoot(g.ratio.Denom(), s)
	if !ok1 || !ok2 {
		return nil, false
	}
	exponent := big.NewInt(p)
	value = new(big.Rat).SetFrac(num.Exp(num, exponent, nil), denom.Exp(denom, exponent, nil))
	return value.Mul(value, g.first), true
}

// newRoot is ratio^(1/last) to the given precision, as the function root defines it.
func (g *geometricProgression) newRoot(precision uint) *big.Float {
	return root(new(big.Float).SetPrec(precision+rootGuard).SetRat(g.ratio), g.last, precision)
}

// rootGuard is the number of bits that the arithmetic of root has beyond the precision asked for.
// It covers the rounding errors of an n-th power: less than 2n units in the last place, n up to
// 2^40.
const rootGuard = 64

// root returns y with |x/y^n - 1| <= 2^(1-precision), hence |y/x^(1/n) - 1| <= 2^(2-precision)/n.
// It is Newton's iteration, which ends when the residual is that small: the first guess, from
// functions whose bits depend on the architecture, does not matter. Here x > 0, and n >= 1.
func root(x *big.Float, n int64, precision uint) *big.Float {
	bits := precision + rootGuard
	var mantissa big.Float
	exp := x.MantExp(&mantissa)
	m, _ := mantissa.Float64()
	log := (math.Log2(m) + float64(exp)) / float64(n)
	guess := big.NewFloat(math.Exp2(log - math.Floor(log)))
	y := new(big.Float).SetMantExp(guess, int(math.Floor(log))).SetPrec(bits)
	one, degree := big.NewFloat(1), new(big.Float).SetInt64(n)
	for {
		residual := power(y, n)
		residual.Quo(x, residual)
		residual.Sub(residual, one)
		if residual.Sign() == 0 || residual.MantExp(nil) <= -int(precision) {
			return y
		}
		residual.Quo(residual, degree)
		y.Add(y, residual.Mul(residual, y))
	}
}

// power is x^n in the precision of x, to less than 2n units in the last place; n >= 0.
func power(x *big.Float, n int64) *big.Float {
	y := new(big.Float).SetPrec(x.Prec()).SetInt64(1)
	square := new(big.Float).Copy(x)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			y.Mul(y, square)
		}
		square.Mul(square, square)
	}
	return y
}

// exactRoot is the integer whose n-th power is x > 0; ok is false where there is none.
func exactRoot(x *big.Int, n int64) (y *big.Int, ok bool) {
	size := int64(x.BitLen())
	if size == 1 || n == 1 { // 1 is its own root
		return new(big.Int).Set(x), true
	}
	if n >= size {
		return nil, false // 2^n > x > 1
	}
	// An absolute error below 1/8 leaves one candidate.
	precision := uint(size/n) + 8
	float := root(new(big.Float).SetPrec(precision+rootGuard).SetInt(x), n, precision)
	y, _ = float.Add(float, big.NewFloat(0.5)).Int(nil)
	return y, new(big.Int).Exp(y, big.NewInt(n), nil).Cmp(x) == 0
}
