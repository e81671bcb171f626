package exact

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// roundAxis is an axis whose entries are short decimals, as a person writes them.
type roundAxis struct {
	first, step int64 // in units of 10^exponent
	exponent    int
	num         int64
}

// roundAxes draws axes such as 0.1..0.5 by 0.1, 1e-3..1e-2 in 10, 5..-5 by -0.25.
func roundAxes() *rapid.Generator[roundAxis] {
	return rapid.Custom(func(t *rapid.T) roundAxis {
		return roundAxis{
			first:    rapid.OneOf(rapid.Int64Range(-20, 20), rapid.Int64Range(-100_000, 100_000)).Draw(t, "first"),
			step:     rapid.OneOf(rapid.Int64Range(-20, 20), rapid.Int64Range(-5000, 5000)).Draw(t, "step"),
			exponent: rapid.OneOf(rapid.IntRange(-8, 3), rapid.IntRange(-310, 300)).Draw(t, "exponent"),
			num:      rapid.Int64Range(1, 60).Draw(t, "num"),
		}
	})
}

func (x roundAxis) text(n int64) string { return fmt.Sprintf("%de%d", n, x.exponent) }

// list is the axis as a person writes it.
func (x roundAxis) list(t testing.TB) []float64 {
	list := make([]float64, x.num)
	for i := range list {
		list[i] = parsed(t, x.text(x.first+int64(i)*x.step))
	}
	return list
}

// parsed is the number that a text reads as in a list of values.
func parsed(t testing.TB, text string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f + 0
}

func entries(p Progression, num int64) []float64 {
	list := make([]float64, num)
	for i := range list {
		list[i] = p.At(int64(i))
	}
	return list
}

const roundAxisCount = 5000

func TestRoundLinspaceIsTheList(t *testing.T) {
	axes := roundAxes()
	for seed := range roundAxisCount {
		x := axes.Example(seed)
		from, to := x.text(x.first), x.text(x.first+(x.num-1)*x.step)
		got := entries(Linear(literal(t, from), literal(t, to), x.num), x.num)
		if want := x.list(t); !slices.Equal(got, want) {
			t.Fatalf("linspace %s..%s in %d gives %v, want %v", from, to, x.num, got, want)
		}
	}
}

func TestRoundRangeIsTheList(t *testing.T) {
	axes := roundAxes()
	for seed := range roundAxisCount {
		x := axes.Example(seed)
		if x.step == 0 {
			continue
		}
		// The end is the last entry, or less than a step beyond it.
		beyond := rapid.Int64Range(0, max(x.step, -x.step)-1).Example(seed)
		if x.step < 0 {
			beyond = -beyond
		}
		from, to, step := x.text(x.first), x.text(x.first+(x.num-1)*x.step+beyond), x.text(x.step)
		num := StepCount(literal(t, from), literal(t, to), literal(t, step))
		if num != x.num {
			t.Fatalf("range %s..%s by %s has %d entries, want %d", from, to, step, num, x.num)
		}
		got := entries(Stepped(literal(t, from), literal(t, step), num), num)
		if want := x.list(t); !slices.Equal(got, want) {
			t.Fatalf("range %s..%s by %s gives %v, want %v", from, to, step, got, want)
		}
	}
}

func TestStepCount(t *testing.T) {
	for _, c := range []struct {
		from, to, step string
		want           int64
	}{
		{"0.1", "0.5", "0.1", 5}, {"0", "0.9", "0.3", 4}, {"0", "1", "0.1", 11},
		{"5", "0", "-2", 3}, {"1", "2", "5", 1},
		{"1", "1", "-3", 1}, {"0", "1", "-1e-300", 0}, {"1", "0", "0.5", 0},
		{"0", "1", "0.33333333333333333333", 4}, {"0", "1", "0.33333333333333333334", 3},
		{"0", "1099511627775", "1", maxEntries}, {"0", "1099511627776", "1", maxEntries + 1},
		{"-1e300", "1e300", "1e-300", maxEntries + 1}, {"0", "1e-300", "1e-301", 11},
	} {
		if got := StepCount(literal(t, c.from), literal(t, c.to), literal(t, c.step)); got != c.want {
			t.Errorf("range %s..%s by %s has %d entries, want %d", c.from, c.to, c.step, got, c.want)
		}
	}
}

func TestAxesGiveTheirNumbers(t *testing.T) {
	lin := func(from, to string, num int64) []float64 {
		return entries(Linear(literal(t, from), literal(t, to), num), num)
	}
	log := func(from, to string, num int64) []float64 {
		return entries(Logarithmic(literal(t, from), literal(t, to), num), num)
	}
	steps := func(from, to, step string) []float64 {
		num := StepCount(literal(t, from), literal(t, to), literal(t, step))
		return entries(Stepped(literal(t, from), literal(t, step), num), num)
	}
	tiny := math.SmallestNonzeroFloat64
	for _, c := range []struct {
		name      string
		got, want []float64
	}{
		{"range of tenths", steps("0.1", "0.5", "0.1"), []float64{0.1, 0.2, 0.3, 0.4, 0.5}},
		{"range of 0.3", steps("0", "0.9", "0.3"), []float64{0, 0.3, 0.6, 0.9}},
		{"decades", log("1e-5", "1", 6), []float64{1e-5, 1e-4, 1e-3, 0.01, 0.1, 1}},
		{
			"linspace to 0.01", lin("0.001", "0.01", 10),
			[]float64{0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.01},
		},
		{"one entry", slices.Concat(lin("3", "9", 1), log("3", "9", 1), steps("3", "9", "7")), []float64{3, 3, 3}},
		{"equal ends", slices.Concat(lin("0.3", "0.3", 3), log("0.3", "0.30", 2)), []float64{0.3, 0.3, 0.3, 0.3, 0.3}},
		{"downwards", slices.Concat(lin("3", "-1", 3), log("100", "1", 3)), []float64{3, 1, -1, 100, 10, 1}},
		{"through zero", lin("-0.3", "0.3", 7), []float64{-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3}},
		{"to a tiny negative number", lin("-1e-323", "0", 3), []float64{-2 * tiny, -tiny, 0}},
		{"below the smallest number", lin("-4.9e-324", "4.9e-324", 5), []float64{-tiny, 0, 0, 0, tiny}},
		{"powers of two", log("1", "1024", 11), []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}},
		{"halves", log("1", "0.125", 4), []float64{1, 0.5, 0.25, 0.125}},
		{"squares", log("2.25", "1.44", 3), []float64{2.25, 1.8, 1.44}},
		{"wide logspace", log("1e-300", "1e300", 5), []float64{1e-300, 1e-150, 1, 1e150, 1e300}},
		{
			"wide linspace", lin("-1.7976931348623157e308", "1.7976931348623157e308", 3),
			[]float64{-math.MaxFloat64, 0, math.MaxFloat64},
		},
		{"subnormal logspace", log("5e-324", "8e-323", 5), []float64{tiny, 2 * tiny, 4 * tiny, 8 * tiny, 16 * tiny}},
		{"whole range", log("5e-324", "1.7976931348623157e308", 2), []float64{tiny, math.MaxFloat64}},
		// Midpoints of two float64 go to the even one.
		{
			"linear ties", lin("9007199254740993", "9007199254740997", 3),
			[]float64{9007199254740992, 9007199254740996, 9007199254740996},
		},
		{
			"linear ties of a repeating fraction", lin("9007199254740993", "9007199254740996", 4),
			[]float64{9007199254740992, 9007199254740994, 9007199254740996, 9007199254740996},
		},
		{
			"geometric ties", log("9007199254740995", "36028797018963980", 3),
			[]float64{9007199254740996, 18014398509481992, 36028797018963984},
		},
		{
			"beside a tie", lin("9007199254740993.0000000000000000000000000000000000001", "9007199254740995", 1),
			[]float64{9007199254740994},
		},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
		for _, f := range c.got {
			if f == 0 && math.Signbit(f) {
				t.Errorf("%s has a negative zero", c.name)
			}
		}
	}
}

// randomEnd is a number of up to 25 digits, anywhere in the range of float64 or close to 1.
func randomEnd(t *rapid.T, name string) string {
	digits := rapid.StringMatching(`[1-9][0-9]{0,24}`).Draw(t, name+" digits")
	exponent := rapid.OneOf(rapid.IntRange(-8, 3), rapid.IntRange(-323, 307)).Draw(t, name+" exponent")
	return fmt.Sprintf("%s.%se%d", digits[:1], digits[1:]+"0", exponent)
}

func TestLinearEntriesAreCorrectlyRounded(t *testing.T) {
	type drawn struct {
		from, to string
		num, i   int64
	}
	axes := rapid.Custom(func(t *rapid.T) drawn {
		signs := rapid.SampledFrom([]string{"", "-"})
		num := rapid.OneOf(rapid.Int64Range(1, 100), rapid.Int64Range(1, maxEntries)).Draw(t, "num")
		return drawn{
			signs.Draw(t, "sign") + randomEnd(t, "from"), signs.Draw(t, "sign") + randomEnd(t, "to"),
			num, rapid.Int64Range(0, num-1).Draw(t, "i"),
		}
	})
	for seed := range 20_000 {
		x := axes.Example(seed)
		from, to := fraction(t, x.from), fraction(t, x.to)
		share := big.NewRat(x.i, max(1, x.num-1))
		want := new(big.Rat).Sub(to, from)
		want.Add(from, want.Mul(want, share))
		float, _ := want.Float64()
		if got := Linear(literal(t, x.from), literal(t, x.to), x.num).At(x.i); got != float {
			t.Fatalf("entry %d of linspace %s..%s in %d is %v, want %v", x.i, x.from, x.to, x.num, got, float)
		}
	}
}

// Exact arithmetic allocates: these axes must do without, but for a tie or two.
func TestOrdinaryEntriesAllocateNothing(t *testing.T) {
	for name, p := range map[string]Progression{
		"linspace":          Linear(literal(t, "0.1"), literal(t, "9.7"), maxEntries),
		"linspace downward": Linear(literal(t, "1"), literal(t, "-1e-3"), maxEntries),
		"range":             Stepped(literal(t, "-1e300"), literal(t, "1e288"), maxEntries),
		"logspace":          Logarithmic(literal(t, "1e-300"), literal(t, "3e300"), maxEntries),
		"decades":           Logarithmic(literal(t, "1e-5"), literal(t, "1"), maxEntries),
	} {
		i := int64(1)
		if n := testing.AllocsPerRun(1000, func() {
			p.At(i)
			i += maxEntries/1001 - 7
		}); n != 0 {
			t.Errorf("%s: %v allocations an entry", name, n)
		}
	}
}

func TestWholeEntries(t *testing.T) {
	for _, c := range []struct {
		name     string
		entries  Progression
		num      int64
		fraction int64 // the first entry that is no integer, or -1
		want     []int64
	}{
		{"linspace", Linear(literal(t, "1"), literal(t, "9"), 5), 5, -1, []int64{1, 3, 5, 7, 9}},
		{"linspace from a half", Linear(literal(t, "1.5"), literal(t, "3.5"), 3), 3, 0, nil},
		{"linspace by a half", Linear(literal(t, "1"), literal(t, "3"), 5), 5, 1, nil},
		{"linspace of one", Linear(literal(t, "3"), literal(t, "3.5"), 1), 1, -1, []int64{3}},
		{"range", Stepped(literal(t, "4"), literal(t, "-3"), 3), 3, -1, []int64{4, 1, -2}},
		{"range by a little more than 1", Stepped(literal(t, "1"), literal(t, "1.00000000000000000001"), 3), 3, 1, nil},
		{
			"range of large integers", Stepped(literal(t, "9223372036854775805"), literal(t, "1"), 3), 3, -1,
			[]int64{math.MaxInt64 - 2, math.MaxInt64 - 1, math.MaxInt64},
		},
		{"logspace", Logarithmic(literal(t, "10"), literal(t, "1e4"), 4), 4, -1, []int64{10, 100, 1000, 10000}},
		{"logspace by 3/2", Logarithmic(literal(t, "16"), literal(t, "81"), 5), 5, -1, []int64{16, 24, 36, 54, 81}},
		{"logspace downwards", Logarithmic(literal(t, "81"), literal(t, "16"), 5), 5, -1, []int64{81, 54, 36, 24, 16}},
		{"logspace by root 10", Logarithmic(literal(t, "10"), literal(t, "1000"), 5), 5, 1, nil},
		{"logspace almost by 1000", Logarithmic(literal(t, "1"), literal(t, "1000000000000000001"), 7), 7, 1, nil},
		{"logspace to a half", Logarithmic(literal(t, "4"), literal(t, "0.5"), 4), 4, 3, nil},
		{"logspace from a half", Logarithmic(literal(t, "0.5"), literal(t, "4"), 4), 4, 0, nil},
		{"logspace of two", Logarithmic(literal(t, "7"), literal(t, "12"), 2), 2, -1, []int64{7, 12}},
		{"logspace of one value", Logarithmic(literal(t, "7"), literal(t, "7"), 3), 3, -1, []int64{7, 7, 7}},
		{
			"logspace of large integers", Logarithmic(literal(t, "1"), literal(t, "4052555153018976267"), 40), 40, -1,
			powersOf3(),
		},
	} {
		i, found := FirstFraction(c.entries, c.num)
		if found != (c.fraction >= 0) || found && i != c.fraction {
			t.Errorf("%s: the first fraction is %d, %v, want %d", c.name, i, found, c.fraction)
		}
		for i, want := range c.want {
			if got := WholeEntry(c.entries, int64(i)); got != want {
				t.Errorf("%s: entry %d is %d, want %d", c.name, i, got, want)
			}
		}
	}
}

func powersOf3() []int64 {
	list := []int64{1}
	for len(list) < 40 {
		list = append(list, 3*list[len(list)-1])
	}
	return list
}

func BenchmarkEntries(b *testing.B) {
	lin := func(from, to string, num int64) Progression { return Linear(literal(b, from), literal(b, to), num) }
	log := func(from, to string, num int64) Progression {
		return Logarithmic(literal(b, from), literal(b, to), num)
	}
	besideTie := "9007199254740993." + strings.Repeat("0", 83) + "1"
	for _, c := range []struct {
		name string
		num  int64
		form func(from, to string, num int64) Progression
		from string
		to   string
	}{
		{"linspace", 30304, lin, "0.5", "10"},
		{"linspace-10M", 10_000_000, lin, "-1e-3", "7.123456789e5"},
		{"linspace-wide", 10_000_000, lin, "1e-300", "1e300"},
		{"logspace", 30304, log, "0.5", "200"},
		{"logspace-10M", 10_000_000, log, "1e-5", "1"},
		{"logspace-2^40", maxEntries, log, "1e-300", "1e300"},
		{"linspace-beside-a-tie", 10_000_000, lin, "9007199254740993", besideTie},
		{"logspace-beside-a-tie", 10_000_000, log, "9007199254740993", besideTie},
	} {
		b.Run(c.name, func(b *testing.B) {
			p, i := c.form(c.from, c.to, c.num), int64(0)
			for b.Loop() {
				p.At(i)
				if i += c.num/1_000_003 + 1; i >= c.num {
					i -= c.num
				}
			}
		})
		b.Run(c.name+"-new", func(b *testing.B) {
			for b.Loop() {
				c.form(c.from, c.to, c.num)
			}
		})
	}
}
