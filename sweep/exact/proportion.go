package exact

import "math/big"

// Proportions are the smallest positive integers in the proportion of some positive decimals. ok is
// false where they or their exponents are too far apart for a sum of at most 2^53, up to which
// integers are exact as float64 and in JSON.
func Proportions(decimals []Decimal) (shares []uint64, ok bool) {
	const largest, zeros = 1 << 53, 16 // 10^16 > 2^53
	unit := decimals[0].exponent
	for _, d := range decimals {
		unit = min(unit, d.exponent)
	}
	common, whole := new(big.Int), make([]*big.Int, len(decimals))
	for i, d := range decimals {
		if d.exponent-unit > zeros {
			return nil, false
		}
		power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.exponent-unit)), nil)
		whole[i] = power.Mul(power, d.coefficient)
		common.GCD(nil, nil, common, whole[i])
	}
	shares, sum := make([]uint64, len(whole)), uint64(0)
	for i, n := range whole {
		if n.Quo(n, common); !n.IsUint64() || n.Uint64() > largest-sum {
			return nil, false
		}
		shares[i] = n.Uint64()
		sum += shares[i]
	}
	return shares, true
}
