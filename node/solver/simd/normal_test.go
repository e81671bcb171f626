package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The first outputs of SplitMix64 for seed 0, from its reference implementation
// (prng.di.unimi.it/splitmix64.c).
func TestSplitMix64(t *testing.T) {
	n := NewNormals(Scalar, 0)
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		if got := n.bits(); got != want {
			t.Errorf("output %d is %#x, want %#x", i, got, want)
		}
	}
}

func TestNormalsAreBoxAndMullers(t *testing.T) {
	for _, seed := range []uint64{0, 1, 7, math.MaxUint64} {
		n, u := NewNormals(Scalar, seed), NewNormals(Scalar, seed)
		for i := range 10_000 {
			radius, angle := math.Sqrt(-2*math.Log(u.Uniform())), 2*math.Pi*u.Uniform()
			for _, want := range []float64{radius * math.Cos(angle), radius * math.Sin(angle)} {
				if got := n.Next(); math.Abs(got-want) > 4e-15*radius {
					t.Fatalf("seed %d, pair %d: %v, want %v", seed, i, got, want)
				}
			}
		}
	}
}

func TestNormalsAreTheSameHoweverTheyAreDrawn(t *testing.T) {
	const count = 1000
	want := make([]float64, count)
	one := NewNormals(Scalar, 3)
	for i := range want {
		want[i] = one.Next()
	}
	for _, k := range Available() {
		for _, chunk := range []int{1, 2, 3, 5, 64, 127, 128, 129, 400, count} {
			n, got := NewNormals(k, 3), make([]float64, 0, count)
			for len(got) < count {
				more := min(chunk, count-len(got))
				n.Fill(got[len(got) : len(got)+more])
				got = got[:len(got)+more]
			}
			for i := range want {
				if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
					t.Fatalf("%v, %d at a time: number %d is %v, want %v", k, chunk, i, got[i], want[i])
				}
			}
		}
	}
}

// The generator's numbers in order, by the definition: a uniform takes one, a pair of normals two,
// and the second normal of a pair is kept for the next one.
func TestUniformNumbersPassByAHalfUsedPair(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, k := range Available() {
		n, source := NewNormals(k, 11), NewNormals(Scalar, 11)
		spare := math.NaN()
		for range 300 {
			if rng.IntN(2) == 0 {
				got := make([]float64, rng.IntN(4))
				n.FillUniform(got)
				for i, x := range got {
					if want := source.Uniform(); x != want {
						t.Fatalf("%v: uniform %d is %v, want %v", k, i, x, want)
					}
				}
				continue
			}
			got := make([]float64, rng.IntN(200))
			n.Fill(got)
			for i, x := range got {
				want := spare
				if spare = math.NaN(); math.IsNaN(want) {
					radius, angle := math.Sqrt(-2*math.Log(source.Uniform())), 2*math.Pi*source.Uniform()
					want, spare = radius*math.Cos(angle), radius*math.Sin(angle)
				}
				if math.Abs(x-want) > 1e-13 {
					t.Fatalf("%v: normal %d is %v, want %v", k, i, x, want)
				}
			}
		}
	}
}

func BenchmarkNormals(b *testing.B) {
	for _, k := range Available() {
		b.Run(k.String(), func(b *testing.B) {
			n, dst := NewNormals(k, 1), make([]float64, 1000)
			for b.Loop() {
				n.Fill(dst)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/number")
		})
	}
}
