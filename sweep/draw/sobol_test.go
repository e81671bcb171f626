package draw

import "testing"

// A direction number table is right when each polynomial is primitive, so that x has order 2^s - 1
// modulo it, and each initial number m_k is odd and below 2^k.
func TestJoeKuoTableIsWellFormed(t *testing.T) {
	if n := len(joeKuo()) + 1; n != SobolDimensions {
		t.Errorf("numbers for %d dimensions, want %d", n, SobolDimensions)
	}
	seen := map[[2]uint64]bool{}
	for i, row := range joeKuo() {
		s, a, m := row[0], row[1], row[2:]
		if uint64(len(m)) != s || seen[[2]uint64{s, a}] {
			t.Errorf(
				"dimension %d: %d initial numbers for degree %d, or a polynomial that was there before",
				i+2,
				len(m),
				s,
			)
		}
		seen[[2]uint64{s, a}] = true
		for k, number := range m {
			if number%2 == 0 || number >= 2<<k {
				t.Errorf("dimension %d: m_%d = %d", i+2, k+1, number)
			}
		}
		polynomial := uint64(1)<<s | a<<1 | 1
		order, x := 0, uint64(1)
		for {
			if x <<= 1; x>>s&1 != 0 {
				x ^= polynomial
			}
			if order++; x == 1 || order > 1<<s {
				break
			}
		}
		if order != 1<<s-1 {
			t.Errorf("dimension %d: x has order %d modulo the polynomial %b, want %d", i+2, order, polynomial, 1<<s-1)
		}
	}
}

func TestPermuteIsABijection(t *testing.T) {
	for _, n := range []uint64{1, 2, 3, 5, 16, 17, 1000} {
		hit := make([]bool, n)
		for i := range n {
			j := permute(i, n, 42)
			if j >= n || hit[j] {
				t.Fatalf("n = %d: %d goes to %d, which is taken or too large", n, i, j)
			}
			hit[j] = true
		}
	}
}
