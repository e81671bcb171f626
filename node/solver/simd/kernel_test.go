package simd_test

import (
	"math"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver/simd"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"pgregory.net/rapid"
)

// numbers draws floats of all sizes, signs and some zeros, infinities and NaNs where wild.
func numbers(t *rapid.T, n int, label string, wild bool) []float64 {
	r := rapid.Uint64().Draw(t, label)
	x := make([]float64, n)
	for i := range x {
		r = r*6364136223846793005 + 1442695040888963407
		x[i] = math.Ldexp(float64(int64(r))/(1<<63), int(r>>7)%20)
		if r>>60 == 0 {
			x[i] = 0
		}
		if wild && r>>54 == 1 {
			x[i] = math.Inf(1 - int(r>>3&2))
		}
	}
	return x
}

func sameBits(t *rapid.T, what string, got, want []float64) {
	t.Helper()
	for i := range want {
		if math.Float64bits(got[i]) != math.Float64bits(want[i]) && !(got[i] != got[i] && want[i] != want[i]) {
			t.Fatalf("%s: element %d is %v, the scalar kernel's %v", what, i, got[i], want[i])
		}
	}
}

func TestProductsHaveTheSameBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// One side may be long enough for a second block of the packed product.
		var size [3]int
		for i := range size {
			size[i] = rapid.IntRange(1, 24).Draw(t, "size")
		}
		if long := rapid.IntRange(-1, 2).Draw(t, "long"); long >= 0 {
			size[long] += rapid.SampledFrom([]int{180, 380}).Draw(t, "more")
		}
		m, n, k := size[0], size[1], size[2]
		pad := rapid.IntRange(0, 3).Draw(t, "pad")
		transpose := rapid.SampledFrom([]blas.Transpose{blas.NoTrans, blas.Trans})
		tA, tB := transpose.Draw(t, "tA"), transpose.Draw(t, "tB")
		alpha := rapid.SampledFrom([]float64{1, -1, 0.3}).Draw(t, "alpha")
		beta := rapid.SampledFrom([]float64{0, 1, -2.5}).Draw(t, "beta")
		general := func(t_ blas.Transpose, r, c int, label string) blas64.General {
			if t_ != blas.NoTrans {
				r, c = c, r
			}
			return blas64.General{Rows: r, Cols: c, Stride: c + pad, Data: numbers(t, r*(c+pad), label, false)}
		}
		a, b, c := general(tA, m, k, "a"), general(tB, k, n, "b"), general(blas.NoTrans, m, n, "c")
		want := append([]float64(nil), c.Data...)
		at := func(g blas64.General, tr blas.Transpose, i, j int) float64 {
			if tr != blas.NoTrans {
				i, j = j, i
			}
			return g.Data[i*g.Stride+j]
		}
		for i := range m {
			for j := range n {
				s := 0.0
				if beta != 0 {
					s = beta * want[i*c.Stride+j]
				}
				for l := range k {
					s = math.FMA(alpha*at(a, tA, i, l), at(b, tB, l, j), s)
				}
				want[i*c.Stride+j] = s
			}
		}
		for _, kernel := range simd.Available() {
			got := c
			got.Data = append([]float64(nil), c.Data...)
			simd.NewMultiplier(kernel).Gemm(tA, tB, alpha, a, b, beta, got)
			sameBits(t, kernel.String(), got.Data, want)
		}
	})
}

func TestGramHasTheBitsOfTheFullProduct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, n := rapid.IntRange(1, 60).Draw(t, "m"), rapid.IntRange(1, 60).Draw(t, "n")
		a := blas64.General{Rows: m, Cols: n, Stride: n, Data: numbers(t, m*n, "a", false)}
		for _, kernel := range simd.Available() {
			p := simd.NewMultiplier(kernel)
			full := blas64.General{Rows: n, Cols: n, Stride: n, Data: make([]float64, n*n)}
			half := blas64.General{Rows: n, Cols: n, Stride: n, Data: make([]float64, n*n)}
			p.Gemm(blas.Trans, blas.NoTrans, 1, a, a, 0, full)
			p.Gram(blas.Trans, 1, a, 0, half)
			sameBits(t, kernel.String(), half.Data, full.Data)
		}
	})
}

func TestVectorsHaveTheSameBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 70).Draw(t, "n")
		wild := rapid.Bool().Draw(t, "wild")
		x, y := numbers(t, n, "x", wild), numbers(t, n, "y", wild)
		a, b := numbers(t, 1, "a", false)[0], numbers(t, 1, "b", false)[0]
		run := func(k simd.Kernel) []float64 {
			dst := make([]float64, n)
			k.Combine(dst, a, x, b, y)
			scaled := append([]float64(nil), x...)
			k.Scale(a, scaled)
			return append(append(dst, scaled...), k.Dot(x, y), k.SumSquares(x), k.Largest(x))
		}
		want := run(simd.Scalar)
		for _, k := range simd.Available() {
			sameBits(t, k.String(), run(k), want)
		}
	})
}

func TestKernelNames(t *testing.T) {
	names := []string{"scalar", "avx2", "avx512"}
	for i, k := range simd.Available() {
		if k.String() != names[i] {
			t.Errorf("kernel %d is %v, want %s", i, k, names[i])
		}
	}
}

// TestGODEBUG runs itself with features of the CPU switched off.
func TestGODEBUG(t *testing.T) {
	if os.Getenv("GODEBUG") != "" {
		t.Skip("GODEBUG is set already")
	}
	for setting, most := range map[string]simd.Kernel{
		"cpu.avx512f=off": simd.AVX2,
		"cpu.avx512=off":  simd.AVX2,
		"cpu.avx2=off":    simd.Scalar,
		"cpu.all=off":     simd.Scalar,
	} {
		command := exec.Command(os.Args[0], "-test.run=TestKernelsAtMost")
		command.Env = append(os.Environ(), "GODEBUG="+setting, "KERNELS_AT_MOST="+most.String())
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("GODEBUG=%s: %v\n%s", setting, err, out)
		}
	}
}

func TestKernelsAtMost(t *testing.T) {
	order := []string{"scalar", "avx2", "avx512"}
	most := os.Getenv("KERNELS_AT_MOST")
	if most == "" {
		t.Skip("a part of TestGODEBUG")
	}
	if best := simd.Best(); slices.Index(order, best.String()) > slices.Index(order, most) {
		t.Errorf("the best kernel is %v, want at most %s", best, most)
	}
}
