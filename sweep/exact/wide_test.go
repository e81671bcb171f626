package exact

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// integer is w as a big integer.
func (w wide) integer() *big.Int {
	x := new(big.Int).Lsh(big.NewInt(int64(w.high)), 64)
	return x.Add(x, new(big.Int).SetUint64(w.low))
}

// randomWide has runs of equal bits, so that carries and ties come up.
func randomWide(random *rand.Rand) wide {
	word := func() uint64 {
		switch random.IntN(4) {
		case 0:
			return 0
		case 1:
			return math.MaxUint64
		case 2:
			return 1<<random.IntN(64) - uint64(random.IntN(2))
		}
		return random.Uint64()
	}
	w := wide{word(), word()}
	for range random.IntN(128) { // an arithmetic shift to the right
		w = wide{uint64(int64(w.high) >> 1), w.high<<63 | w.low>>1}
	}
	return w
}

func TestWideIsIntegerArithmetic(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 1))
	modulus := new(big.Int).Lsh(big.NewInt(1), 128)
	same := func(w wide, want *big.Int) bool {
		difference := want.Sub(want, w.integer())
		return difference.Mod(difference, modulus).Sign() == 0
	}
	for range 50_000 {
		x, y, n := randomWide(random), randomWide(random), random.Uint64()>>random.IntN(64)
		if !same(x.plus(y), new(big.Int).Add(x.integer(), y.integer())) {
			t.Fatalf("%x + %x = %x", x, y, x.plus(y))
		}
		if !same(x.minus(y), new(big.Int).Sub(x.integer(), y.integer())) {
			t.Fatalf("%x - %x = %x", x, y, x.minus(y))
		}
		if !same(x.times(n), new(big.Int).Mul(x.integer(), new(big.Int).SetUint64(n))) {
			t.Fatalf("%x · %x = %x", x, n, x.times(n))
		}
		if newWide(x.integer()) != x {
			t.Fatalf("%x reads as %x", x, newWide(x.integer()))
		}
	}
}

func TestWideRoundsToTheNearestFloat(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	for range 100_000 {
		w, exp := randomWide(random), random.IntN(200)-100
		switch random.IntN(3) {
		case 0:
			exp = -1074 - random.IntN(140) // subnormal
		case 1:
			exp = 1024 - random.IntN(140) // near overflow
		}
		x := new(big.Float).SetPrec(128).SetInt(w.integer())
		want, _ := x.SetMantExp(x, exp).Float64()
		got := w.float(exp)
		if got != want || got == 0 && math.Signbit(got) {
			t.Fatalf("%v·2^%d rounds to %v, want %v", w.integer(), exp, got, want)
		}
	}
}

func TestWideFloatProductsAreRoundedDown(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 3))
	low, high := new(big.Int).Lsh(big.NewInt(1), mantissaBits-1), new(big.Int).Lsh(big.NewInt(1), mantissaBits)
	draw := func() wideFloat {
		w := randomWide(random)
		w.high = w.high&(1<<61-1) | 1<<61
		return wideFloat{w, random.IntN(2000) - 1000}
	}
	for range 50_000 {
		x, y := draw(), draw()
		z := x.times(y)
		exact := new(big.Int).Mul(x.mantissa.integer(), y.mantissa.integer())
		if shift := z.exp - x.exp - y.exp; exact.Rsh(exact, uint(shift)).Cmp(z.mantissa.integer()) != 0 ||
			exact.Cmp(low) < 0 || exact.Cmp(high) >= 0 {
			t.Fatalf("%x · %x = %x", x, y, z)
		}
	}
}
