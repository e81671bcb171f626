package exact

import "math/big"

// Proportions are the smallest positive integers in the proportion of some positive decimals. ok is
// false where their sum is above 2^53, up to which integers are exact as float64 and in JSON.
func Proportions(decimals []Decimal) (shares []uint64, ok bool) {
	const largest = 1 << 53
	unit := decimals[0].exponent
	for _, d := range decimals {
		unit = min(unit, d.exponent)
	}
	common, whole := new(big.Int), make([]*big.Int, len(decimals))
	for i, d := range decimals {
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
