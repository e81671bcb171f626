package sweep

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestRecordedSteps(t *testing.T) {
	for _, c := range []struct {
		record Record
		last   int64
		want   []int64
	}{
		{Record{}, 10, nil},
		{Record{Coefficients: true}, 10, nil},
		{Record{Every: 4}, 10, []int64{0, 4, 8, 10}},
		{Record{Every: 5}, 10, []int64{0, 5, 10}},
		{Record{Every: 50}, 10, []int64{0, 10}},
		{Record{Every: 1}, 3, []int64{0, 1, 2, 3}},
		{Record{Log: 2}, 1000, []int64{0, 1, 1000}},
		{Record{Log: 4}, 1000, []int64{0, 1, 10, 100, 1000}},
		{Record{Log: 100}, 5, []int64{0, 1, 2, 3, 4, 5}},
		{Record{Log: 3}, 1, []int64{0, 1}},
		{Record{Log: 3}, 12, []int64{0, 1, 3, 12}}, // sqrt(12) = 3.46
		{Record{Steps: []int64{0, 1, 10}}, 20, []int64{0, 1, 10, 20}},
		{Record{Steps: []int64{7}}, 20, []int64{0, 7, 20}},
		{Record{Steps: []int64{3, 20}}, 20, []int64{0, 3, 20}},
	} {
		if got := c.record.At(c.last); !slices.Equal(got, c.want) {
			t.Errorf("%+v to %d: %v, want %v", c.record, c.last, got, c.want)
		}
	}
	if text := (Record{Steps: []int64{3, 20}}).Check(19); text == "" {
		t.Error("a list that goes beyond the last step is fine")
	}
	if text := (Record{Steps: []int64{3, 20}}).Check(20); text != "" {
		t.Error(text)
	}
}

func TestRecordedStepsRise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last := rapid.Int64Range(1, 50_000).Draw(t, "T")
		r := rapid.OneOf(
			rapid.Map(rapid.Int64Range(1, 60_000), func(n int64) Record { return Record{Every: n} }),
			rapid.Map(rapid.Int64Range(2, 300), func(n int64) Record { return Record{Log: n} }),
		).Draw(t, "record")
		at := r.At(last)
		if n := r.Count(last); int64(len(at)) > n || r.Every > 0 && int64(len(at)) != n || at[0] != 0 ||
			at[len(at)-1] != last {
			t.Fatalf("%+v to %d: %v, count %d", r, last, at, r.Count(last))
		}
		for i := 1; i < len(at); i++ {
			if at[i] <= at[i-1] {
				t.Fatalf("%+v to %d does not rise: %v", r, last, at)
			}
		}
	})
}

// T^(i/(N-1)) lies in [k-1/2, k+1/2] iff (2k-1)^(N-1) <= 2^(N-1) T^i <= (2k+1)^(N-1), in exact
// integers.
func TestLogRecordRoundsToTheNearestStep(t *testing.T) {
	power := func(base, exponent int64) *big.Int {
		return new(big.Int).Exp(big.NewInt(base), big.NewInt(exponent), nil)
	}
	for _, c := range []struct{ last, n int64 }{{8000, 60}, {97, 20}, {100000, 33}} {
		want := []int64{0}
		for i := range c.n {
			root := new(big.Int).Mul(power(2, c.n-1), power(c.last, i))
			k := int64(1)
			for power(2*k+1, c.n-1).Cmp(root) < 0 {
				k++
			}
			if k != want[len(want)-1] {
				want = append(want, k)
			}
		}
		if got := (Record{Log: c.n}).At(c.last); !slices.Equal(got, want) {
			t.Errorf("log %d to %d: %v, want %v", c.n, c.last, got, want)
		}
	}
}
