package solver

import "math"

// random draws normals: SplitMix64, then Box-Muller, whose second value is kept for the next call.
type random struct {
	state uint64
	spare float64
	half  bool
}

func (r *random) uint64() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// uniform lies in (0, 1].
func (r *random) uniform() float64 { return (float64(r.uint64()>>11) + 0.5) * 0x1p-53 }

func (r *random) normal() float64 {
	if r.half {
		r.half = false
		return r.spare
	}
	radius := math.Sqrt(-2 * math.Log(r.uniform()))
	sin, cos := math.Sincos(2 * math.Pi * r.uniform())
	r.spare, r.half = radius*sin, true
	return radius * cos
}

func (r *random) normals(dst []float64) {
	for i := range dst {
		dst[i] = r.normal()
	}
}

// bartlett writes the triangle R of the QR decomposition of a matrix of normals with the given rows and n <= rows columns:
// χ_(rows-j) at (j, j), normals above, zeros below.
func (r *random) bartlett(dst []float64, n int, rows float64) {
	for i := range n {
		for j := range n {
			switch {
			case i == j:
				dst[i*n+j] = r.chi(rows - float64(i))
			case i < j:
				dst[i*n+j] = r.normal()
			default:
				dst[i*n+j] = 0
			}
		}
	}
}

// chi draws χ with ν >= 1 degrees of freedom: χ² is twice a gamma variate of shape ν/2 (Marsaglia and Tsang 2000).
func (r *random) chi(nu float64) float64 {
	if nu < 2 {
		return math.Abs(r.normal())
	}
	d := nu/2 - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.normal()
		v := 1 + float64(c*x)
		if v <= 0 {
			continue
		}
		v *= v * v
		if math.Log(r.uniform()) < float64(0.5*float64(x*x))+float64(d*(1-v+math.Log(v))) {
			return math.Sqrt(2 * float64(d*v))
		}
	}
}
