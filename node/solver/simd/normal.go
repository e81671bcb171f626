package simd

import "math"

// blockPairs is how many pairs of normals are made at a time.
const blockPairs = 64

// pairs are the uniform numbers (u₁, u₂) of a block in the form that Box and Muller's formula is
// evaluated in: u₁ = 2^e m with √½ <= m < √2, and 2πu₂ as an angle of at most π/4 and a number of
// quarter turns, of which (turnCos, turnSin) are cosine and sine. Evaluating leaves the first
// normals of the pairs in m and the second in e.
type pairs struct {
	m, e, angle, turnCos, turnSin [blockPairs]float64
}

// Normals is a stream of standard normal numbers: SplitMix64(seed), u = ((bits>>11) + ½) 2^-53,
// then by Box and Muller √(-2 ln u₁) cos 2πu₂ and √(-2 ln u₁) sin 2πu₂.
type Normals struct {
	kernel Kernel
	state  uint64
	pairs  pairs
	used   int // normals of the block that are gone
}

// NewNormals returns the stream of a seed.
func NewNormals(k Kernel, seed uint64) *Normals {
	return &Normals{kernel: k, state: seed, used: 2 * blockPairs}
}

// Uniform returns a number in (0, 1] from the generator behind the normals, which are drawn from it
// in blocks.
func (n *Normals) Uniform() float64 { return float64((float64(int64(n.bits()>>11)) + 0.5) * 0x1p-53) }

func (n *Normals) bits() uint64 {
	n.state += increment
	z := n.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Next returns the next normal number.
func (n *Normals) Next() float64 {
	if n.used == 2*blockPairs {
		n.refill()
	}
	i := n.used
	n.used++
	if i&1 == 0 {
		return n.pairs.m[i/2]
	}
	return n.pairs.e[i/2]
}

// Fill writes the next len(dst) normal numbers.
func (n *Normals) Fill(dst []float64) {
	for len(dst) > 0 {
		if n.used&1 == 0 && n.used < 2*blockPairs && len(dst) > 1 {
			first, second := n.pairs.m[n.used/2:], n.pairs.e[n.used/2:]
			count := min(len(first), len(dst)/2)
			for i, x := range first[:count] {
				dst[2*i] = x
				dst[2*i+1] = second[i]
			}
			n.used += 2 * count
			dst = dst[2*count:]
			continue
		}
		dst[0] = n.Next()
		dst = dst[1:]
	}
}

// FillUniform writes uniform numbers in (0, 1] that follow in the generator those of the normals
// taken so far, as if none were made in advance. The second normal of a pair whose first is taken
// is left to the next call of Next.
func (n *Normals) FillUniform(dst []float64) {
	n.rewind()
	for i := range dst {
		dst[i] = n.Uniform()
	}
}

// rewind gives the numbers of the pairs of which no normal is taken back to the generator.
func (n *Normals) rewind() {
	taken := (n.used + 1) / 2
	n.state -= increment * uint64(2*(blockPairs-taken))
	if n.used&1 != 0 {
		n.pairs.e[blockPairs-1] = n.pairs.e[n.used/2]
		n.used = 2*blockPairs - 1
		return
	}
	n.used = 2 * blockPairs
}

// increment is SplitMix64's.
const increment = 0x9e3779b97f4a7c15

// refill makes the next block.
func (n *Normals) refill() {
	const rootHalf = 0x3fe6a09e667f3bcd // the bits of √½
	turnCos, turnSin := [4]float64{1, 0, -1, 0}, [4]float64{0, 1, 0, -1}
	p := &n.pairs
	for i := range blockPairs {
		u1, u2 := n.Uniform(), n.Uniform()
		b := math.Float64bits(u1)
		exponent := int64(b-rootHalf) >> 52
		p.m[i] = math.Float64frombits(b - uint64(exponent)<<52)
		p.e[i] = float64(exponent)
		turns := int64(float64(4*u2) + 0.5)
		p.angle[i] = 2 * math.Pi * (u2 - float64(0.25*float64(turns)))
		p.turnCos[i], p.turnSin[i] = turnCos[turns&3], turnSin[turns&3]
	}
	boxMuller(n.kernel, p)
	n.used = 0
}

// Coefficients of the logarithm's series in s = f/(2+f), and of sine and cosine up to π/4, as in
// FreeBSD's and Cephes' libraries.
const (
	ln2High = 6.93147180369123816490e-01
	ln2Low  = 1.90821492927058770002e-10

	log1 = 6.666666666666735130e-01
	log2 = 3.999999999940941908e-01
	log3 = 2.857142874366239149e-01
	log4 = 2.222219843214978396e-01
	log5 = 1.818357216161805012e-01
	log6 = 1.531383769920937332e-01
	log7 = 1.479819860511658591e-01

	sin1 = -1.66666666666666307295e-1
	sin2 = 8.33333333332211858878e-3
	sin3 = -1.98412698295895385996e-4
	sin4 = 2.75573136213857245213e-6
	sin5 = -2.50507477628578072866e-8
	sin6 = 1.58962301576546568060e-10

	cos1 = 4.16666666666665929218e-2
	cos2 = -1.38888888888730564116e-3
	cos3 = 2.48015872888517045348e-5
	cos4 = -2.75573141792967388112e-7
	cos5 = 2.08757008419747316778e-9
	cos6 = -1.13585365213876817300e-11
)
