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
