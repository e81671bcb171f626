package exact

import (
	"math"
	"math/big"
)

// maxEntries is the most entries that a progression may have.
const maxEntries = 1 << 40

// Progression is the entries of an axis that a formula gives. It never changes.
type Progression interface {
	// At is the float64 nearest to entry i, ties to even, without a negative zero.
	At(i int64) float64
	// Exact is entry i as a fraction; ok is false where it is irrational.
	Exact(i int64) (value *big.Rat, ok bool)
}

// Linear is the progression from + (to - from)·i/(num - 1).
func Linear(from, to Decimal, num int64) Progression {
	step := new(big.Rat).Sub(to.rat(), from.rat())
	step.Quo(step, new(big.Rat).SetInt64(max(1, num-1)))
	return newArithmetic(from.rat(), step, num)
}

// Logarithmic is the progression from·(to/from)^(i/(num-1)); from and to are above 0.
func Logarithmic(from, to Decimal, num int64) Progression {
	ratio := new(big.Rat).Quo(to.rat(), from.rat())
	if num == 1 || ratio.Num().Cmp(ratio.Denom()) == 0 {
		return newArithmetic(from.rat(), new(big.Rat), num)
	}
	return newGeometric(from.rat(), ratio, num)
}

// Stepped is the progression from + i·step.
func Stepped(from, step Decimal, num int64) Progression {
	return newArithmetic(from.rat(), step.rat(), num)
}

// StepCount is the number of entries of from, from + step, ... up to and including to: 0 where step
// leads away from to, and maxEntries + 1 where there are more than maxEntries. step is not 0.
func StepCount(from, to, step Decimal) int64 {
	steps := new(big.Rat).Sub(to.rat(), from.rat())
	steps.Quo(steps, step.rat())
	if steps.Sign() < 0 {
		return 0
	}
	count := new(big.Int).Quo(steps.Num(), steps.Denom())
	if !count.IsInt64() {
		return maxEntries + 1
	}
	return min(count.Int64(), maxEntries) + 1
}

// arithmeticProgression is first + i·step. An entry is computed on 128 bits with a bound on the
// error, and exactly where the bound leaves two float64 to choose from.
type arithmeticProgression struct {
	first, step *big.Rat
	// wideFirst·2^exp and wideStep·2^exp are first and step, rounded down. firstError and stepError
	// are 1 where that changed them, else 0: entry i is at least wideFirst + i·wideStep, and at
	// most firstError + i·stepError more.
	wideFirst, wideStep   wide
	firstError, stepError uint64
	exp                   int
}

func newArithmetic(first, step *big.Rat, num int64) *arithmeticProgression {
	a := &arithmeticProgression{first: first, step: step}
	last, _ := a.Exact(num - 1)
	// In units of 2^exp every entry is below 2^126, its distance from the first one below 2^127 and
	// its error at most 2^40 + 1: nothing overflows.
	a.exp = max(bitLength(first), bitLength(last)) - 126
	a.wideFirst, a.firstError = floor(first, a.exp)
	if num > 1 {
		a.wideStep, a.stepError = floor(step, a.exp)
	}
	return a
}

func (a *arithmeticProgression) Exact(i int64) (value *big.Rat, ok bool) {
	value = new(big.Rat).SetInt64(i)
	return value.Add(a.first, value.Mul(value, a.step)), true
}

func (a *arithmeticProgression) At(i int64) float64 {
	n := uint64(i)
	low := a.wideFirst.plus(a.wideStep.times(n))
	high := low.plus(wide{0, a.firstError + a.stepError*n})
	if f, decided := between(low, high, a.exp); decided {
		return f
	}
	value, _ := a.Exact(i)
	return nearest(value)
}

// bitLength is a number n with |x| < 2^n.
func bitLength(x *big.Rat) int { return x.Num().BitLen() - x.Denom().BitLen() + 1 }

// floor is the largest wide up to x/2^exp, and 1 if it is not x/2^exp itself.
func floor(x *big.Rat, exp int) (w wide, inexact uint64) {
	num, denom := x.Num(), x.Denom()
	if exp < 0 {
		num = new(big.Int).Lsh(num, uint(-exp))
	} else {
		denom = new(big.Int).Lsh(denom, uint(exp))
	}
	quotient, rest := new(big.Int).DivMod(num, denom, new(big.Int)) // Euclidean: rest >= 0
	return newWide(quotient), uint64(rest.Sign())
}

// WholeEntry is entry i of a progression of 64-bit integers.
func WholeEntry(p Progression, i int64) int64 {
	if f := p.At(i); math.Abs(f) < 1<<53 {
		return int64(f) // the entry itself
	}
	value, _ := p.Exact(i)
	return value.Num().Int64()
}

// FirstFraction is the first of num entries that is no integer; found is false where all are
// integers. The first entry must be below 2^64 in magnitude.
func FirstFraction(p Progression, num int64) (i int64, found bool) {
	whole := func(i int64) bool {
		value, rational := p.Exact(i)
		return rational && value.IsInt()
	}
	// An arithmetic progression is whole if its first two entries are. A geometric one whose second
	// entry is rational has a ratio a/b, and first·(a/b)^i is whole for every i if it is for the
	// last.
	if whole(0) && whole(min(1, num-1)) && whole(num-1) {
		return 0, false
	}
	for whole(i) { // for at most 64 entries, as each divides the first one by b >= 2
		i++
	}
	return i, true
}
