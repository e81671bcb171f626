package elementary

import "math"

// 2π.
var fullTurn = Double{0x1.921fb54442d18p+2, 0x1.1a62633145c07p-52}

// Coefficients of sine and cosine up to π/4 in powers of x², from FreeBSD's k_sin.c and k_cos.c
// (Sun Microsystems, 1993).
const (
	sin1 = -1.66666666666666324348e-01
	sin2 = 8.33333333332248946124e-03
	sin3 = -1.98412698298579493134e-04
	sin4 = 2.75573137070700676789e-06
	sin5 = -2.50507602534068634195e-08
	sin6 = 1.58969099521155010221e-10

	cos1 = 4.16666666666666019037e-02
	cos2 = -1.38888888888741095749e-03
	cos3 = 2.48015872894767294178e-05
	cos4 = -2.75573143513906633035e-07
	cos5 = 2.08757232129817482790e-09
	cos6 = -1.13596475577881948265e-11
)

// SinCosTurns returns the sine and the cosine of 2πt, t turns, for |t| <= 2^40. They are exact
// where t is a multiple of a quarter.
func SinCosTurns(t float64) (sin, cos float64) {
	quarters := math.Floor(float64(4*t) + 0.5)
	x := fullTurn.Times(Double{t - float64(quarters*0.25), 0})
	sin, cos = kernel(x)
	switch int64(quarters) & 3 {
	case 1:
		return cos, -sin
	case 2:
		return -sin, -cos
	case 3:
		return -cos, sin
	}
	return sin, cos
}

// kernel returns sine and cosine for |x| <= π/4.
func kernel(x Double) (sin, cos float64) {
	z := float64(x.High * x.High)
	w := float64(z * z)
	v := float64(z * x.High)
	r := sin2 + float64(z*(sin3+float64(z*sin4))) + float64(float64(z*w)*(sin5+float64(z*sin6)))
	sin = x.High - ((float64(z*(float64(0.5*x.Low)-float64(v*r))) - x.Low) - float64(v*sin1))

	r = float64(z*(cos1+float64(z*(cos2+float64(z*cos3))))) +
		float64(float64(w*w)*(cos4+float64(z*(cos5+float64(z*cos6)))))
	half := float64(0.5 * z)
	one := 1 - half
	cos = one + (((1 - one) - half) + (float64(z*r) - float64(x.High*x.Low)))
	return sin, cos
}
