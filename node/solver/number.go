package solver

import "math"

func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }

// sign is -1, 0 or 1, and NaN of NaN.
func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}
