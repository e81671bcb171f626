package exact

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestProportions(t *testing.T) {
	for _, c := range []struct{ weights, want string }{
		{"1", "[1]"},
		{"0.5 0.3 0.2", "[5 3 2]"},
		{"0.1 0.2 0.3 0.4", "[1 2 3 4]"},
		{"2 4 6", "[1 2 3]"},
		{"1e300 3e300", "[1 3]"},
		{"5e-324 1e-323", "[1 2]"},
		{"0.3333 0.6667", "[3333 6667]"},
		{"1e15 1", "[1000000000000000 1]"},
		{"9007199254740991 1", "[9007199254740991 1]"},
		{"9007199254740992 1", ""},
		{"1e16 1", ""},
		{"1e300 1e-300", ""},
		{"0.1 1e-16", "[1000000000000000 1]"},
		{"0.1 1e-17", ""},
		{"0." + strings.Repeat("3", 90) + " 0." + strings.Repeat("3", 90), "[1 1]"},
		{"0." + strings.Repeat("3", 90) + " 0." + strings.Repeat("6", 90), "[1 2]"},
		{"0." + strings.Repeat("3", 17) + " 1", ""},
		{strings.Repeat("9007199254740991 ", 5000) + "9007199254740990", ""},
	} {
		var decimals []Decimal
		for _, text := range strings.Fields(c.weights) {
			decimals = append(decimals, literal(t, text))
		}
		shares, ok := Proportions(decimals)
		if got := fmt.Sprint(shares); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%.60s: got %.60s, %v, want %s", c.weights, got, ok, c.want)
		}
	}
}

// Proportions of decimals of up to 4 digits are those of the fractions, without a common divisor.
func TestProportionsAreExact(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	for range 2000 {
		decimals := make([]Decimal, 1+random.IntN(5))
		for i := range decimals {
			decimals[i] = literal(t, fmt.Sprintf("%de%d", 1+random.IntN(9999), random.IntN(4)))
		}
		shares, ok := Proportions(decimals)
		if !ok {
			t.Fatalf("%v is refused", decimals)
		}
		common := new(big.Int)
		for i, share := range shares {
			common.GCD(nil, nil, common, new(big.Int).SetUint64(share))
			x, y := decimals[i].rat(), decimals[0].rat()
			x.Mul(x, new(big.Rat).SetUint64(shares[0]))
			y.Mul(y, new(big.Rat).SetUint64(share))
			if x.Cmp(y) != 0 {
				t.Fatalf("%v: shares %v", decimals, shares)
			}
		}
		if common.Cmp(big.NewInt(1)) != 0 || slices.Contains(shares, 0) {
			t.Fatalf("%v: shares %v", decimals, shares)
		}
	}
}
