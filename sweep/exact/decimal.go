package exact

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// maxDigits bounds the significant digits of a decimal, and with them the cost of exact arithmetic.
const maxDigits = 100

// Decimal is the exact value of a number as the sweep file writes it: coefficient · 10^exponent.
// The coefficient is no multiple of 10, and 0 is 0 · 10^0: equal values have equal fields.
type Decimal struct {
	coefficient *big.Int
	exponent    int
}

// ParseDecimal reads a number as a sweep file writes it: digits with a sign, a point and an
// exponent as wanted, finite as a float64. The second result says what a number with too many
// digits or of too small a magnitude should be; it is "" otherwise.
func ParseDecimal(text string) (d Decimal, want string) {
	mantissa, power := text, "0"
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		mantissa, power = text[:at], text[at+1:]
	}
	whole, fraction, _ := strings.Cut(strings.TrimLeft(mantissa, "+-"), ".")
	padded := strings.TrimLeft(whole+fraction, "0")
	if padded == "" {
		return Decimal{coefficient: new(big.Int)}, ""
	}
	digits := strings.TrimRight(padded, "0")
	if len(digits) > maxDigits {
		return Decimal{}, fmt.Sprintf("at most %d significant digits", maxDigits)
	}
	if f, err := strconv.ParseFloat(text, 64); err != nil || f == 0 {
		return Decimal{}, "0, or a magnitude from 5e-324 to 1.8e308"
	}
	exponent, err := strconv.Atoi(power)
	if err != nil {
		return Decimal{}, "a number"
	}
	coefficient, _ := new(big.Int).SetString(digits, 10)
	if mantissa[0] == '-' {
		coefficient.Neg(coefficient)
	}
	return Decimal{coefficient, exponent - len(fraction) + len(padded) - len(digits)}, ""
}

// Sign is -1, 0 or 1.
func (d Decimal) Sign() int { return d.coefficient.Sign() }

// rat is the decimal as a fraction.
func (d Decimal) rat() *big.Rat {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(d.exponent, -d.exponent))), nil)
	if d.exponent < 0 {
		return new(big.Rat).SetFrac(d.coefficient, power)
	}
	return new(big.Rat).SetInt(power.Mul(power, d.coefficient))
}

// Text is the canonical form: the shortest number of the nearest float64 if that is the decimal
// itself, which it is for up to 15 digits; all digits otherwise.
func (d Decimal) Text() string {
	short := FormatFloat(nearest(d.rat()))
	if s, problem := ParseDecimal(short); problem == "" &&
		s.exponent == d.exponent && s.coefficient.Cmp(d.coefficient) == 0 {
		return short
	}
	if d.exponent == 0 {
		return d.coefficient.String()
	}
	return fmt.Sprintf("%de%d", d.coefficient, d.exponent)
}

// nearest is the float64 nearest to x, ties to even, without a negative zero.
func nearest(x *big.Rat) float64 {
	f, _ := x.Float64()
	return f + 0
}

// FormatFloat is the shortest decimal that reads back as x, as encoding/json writes it.
func FormatFloat(x float64) string {
	if a := math.Abs(x); a != 0 && (a < 1e-6 || a >= 1e21) {
		text := strconv.FormatFloat(x, 'e', -1, 64)
		if n := len(text); n >= 4 && text[n-4] == 'e' && text[n-2] == '0' { // 1e-08 is written 1e-8
			text = text[:n-2] + text[n-1:]
		}
		return text
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}
