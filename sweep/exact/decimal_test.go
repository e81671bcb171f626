package exact

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// literal is the decimal of a text that must be one.
func literal(t testing.TB, text string) Decimal {
	t.Helper()
	d, problem := ParseDecimal(text)
	if problem != "" {
		t.Fatalf("ParseDecimal(%q): %s", text, problem)
	}
	return d
}

// fraction is an exact value by a parser of its own.
func fraction(t testing.TB, text string) *big.Rat {
	t.Helper()
	x, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no fraction", text)
	}
	return x
}

func TestDecimalsAreExact(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "+0.000e5": "0", "0e5000": "0",
		"0.1": "0.1", "1e-5": "0.00001", "0.00001": "0.00001", "10.00e-6": "0.00001", ".5": "0.5", "5.": "5",
		"+1E+2": "100", "-0.30": "-0.3", "1e21": "1e+21", "1e-7": "1e-7", "123456789": "123456789",
		"9007199254740993":                     "9007199254740993",
		"90071992547409930":                    "9007199254740993e1",
		"9007199254740992":                     "9007199254740992",
		"0.1000000000000000055511151231257827": "1000000000000000055511151231257827e-34",
		"0.10000000000000001":                  "10000000000000001e-17",
		"1.7976931348623157e308":               "1.7976931348623157e+308",
		"5e-324":                               "5e-324",
		"4.9e-324":                             "49e-325",
	} {
		d := literal(t, text)
		if d.rat().Cmp(fraction(t, text)) != 0 {
			t.Errorf("%s reads as %v", text, d.rat())
		}
		if d.Text() != want {
			t.Errorf("%s is written %s, want %s", text, d.Text(), want)
		}
	}
}

func TestDecimalsReadBackAsThemselves(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		text := randomLiteral(random)
		d := literal(t, text)
		again := literal(t, d.Text())
		if d.rat().Cmp(fraction(t, text)) != 0 || again.rat().Cmp(d.rat()) != 0 || again.Text() != d.Text() {
			t.Fatalf("%s is written %s, which reads as %v", text, d.Text(), again.rat())
		}
		value, err := strconv.ParseFloat(d.Text(), 64)
		if want := nearest(d.rat()); err != nil || value != want {
			t.Fatalf("%s is the number %v in a file, want %v", d.Text(), value, want)
		}
	}
}

func TestDecimalsAreBounded(t *testing.T) {
	for _, text := range []string{
		"1e400", "-1e999999999", "1e-400", "2e-324", "-1e-999999999", "1e-99999999999999999999",
		"0." + strings.Repeat("1", maxDigits+1), strings.Repeat("7", maxDigits+1) + "e-800",
		"0." + strings.Repeat("0", 3_000_000) + "1e3000001",
	} {
		if d, problem := ParseDecimal(text); problem == "" {
			t.Errorf("%.40s... reads as %v", text, d)
		}
	}
	if d := literal(t, "0e99999999999999999999"); d.Text() != "0" {
		t.Errorf("0 is written %s", d.Text())
	}
	for _, text := range []string{
		"0." + strings.Repeat("1", maxDigits), "1." + strings.Repeat("0", 2000), strings.Repeat("0", 2000) + "1",
	} {
		if d := literal(t, text); d.rat().Cmp(fraction(t, text)) != 0 {
			t.Errorf("%.40s... reads as %v", text, d)
		}
	}
}

func TestNearestHasNoNegativeZero(t *testing.T) {
	for _, text := range []string{"0", "1e-400", "-1e-400"} {
		if f := nearest(fraction(t, text)); f != 0 || math.Signbit(f) {
			t.Errorf("%s rounds to %v", text, f)
		}
	}
}

// randomLiteral is a number of 1 to 30 digits in one of the spellings of a sweep file.
func randomLiteral(random *rand.Rand) string {
	digits := fmt.Sprint(1 + random.Int64N(9))
	for range random.IntN(30) {
		digits += fmt.Sprint(random.IntN(10))
	}
	sign := []string{"", "-", "+"}[random.IntN(3)]
	switch random.IntN(3) {
	case 0:
		return sign + digits
	case 1:
		at := random.IntN(len(digits))
		return sign + strings.TrimLeft(digits[:at], "0") + "." + digits[at:]
	}
	exponent := random.IntN(600) - 320
	return fmt.Sprintf("%s%s.%se%d", sign, digits[:1], digits[1:], exponent)
}
