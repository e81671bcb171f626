package sweep

import (
	"math"

	"github.com/phasegrid/phasegrid/sweep/elementary"
)

// ThetaNorm2 is ‖theta‖² of a resolved point.
func ThetaNorm2(a Assignment) float64 {
	if a[TeacherVariance].IsNull() {
		return a[TeacherNorm2].num
	}
	return a[TeacherVariance].num / unitVariance(a)
}

// unitVariance is uᵀQu for u = theta/‖theta‖.
func unitVariance(a Assignment) float64 {
	if a[Teacher].text == "eigen" && familyOf(a).Diagonal {
		return eigenvalue(a, a[TeacherIndex].i)
	}
	variance := 0.0
	if !familyOf(a).Diagonal {
		u := direction(a)
		for i, x := range ar1Product(a[Rho].num, u) {
			variance += float64(x * u[i])
		}
		return variance
	}
	for _, t := range teacherTerms(a, 1) {
		variance += float64(t.q * t.theta2)
	}
	return variance
}

// teacherTerm is an eigenvalue and the energy of theta in it.
type teacherTerm struct{ q, theta2 float64 }

// teacherTerms splits norm2 = ‖theta‖² over the eigenvalues of a diagonal Q, for a teacher that is
// no eigenvector.
func teacherTerms(a Assignment, norm2 float64) []teacherTerm {
	var terms []teacherTerm
	switch a[Teacher].text {
	case "uniform":
		for _, r := range Spectrum(a) {
			terms = append(terms, teacherTerm{r.Value, norm2 * float64(r.Count) / float64(a[Dimension].i)})
		}
	case "random":
		u, at := direction(a), int64(0)
		for _, r := range Spectrum(a) {
			energy := 0.0
			for _, x := range u[at : at+r.Count] {
				energy += float64(x * x)
			}
			terms = append(terms, teacherTerm{r.Value, norm2 * energy})
			at += r.Count
		}
	case "mix":
		weights, sum := a[TeacherWeights].list, 0.0
		for i := 0; i < len(weights); i += 2 {
			sum += float64(weights[i+1] * weights[i+1])
		}
		for i := 0; i < len(weights); i += 2 {
			terms = append(terms,
				teacherTerm{eigenvalue(a, int64(weights[i])), norm2 * weights[i+1] * weights[i+1] / sum})
		}
	}
	return terms
}

// direction is theta/‖theta‖ in coordinates, before rotation.
func direction(a Assignment) []float64 {
	u := make([]float64, a[Dimension].i)
	switch a[Teacher].text {
	case "eigen":
		u[a[TeacherIndex].i] = 1
	case "uniform":
		for i := range u {
			u[i] = 1 / math.Sqrt(float64(len(u)))
		}
	case "random":
		randomDirection(u, uint64(a[TeacherSeed].i))
	case "mix":
		weights, sum := a[TeacherWeights].list, 0.0
		for i := 0; i < len(weights); i += 2 {
			sum += float64(weights[i+1] * weights[i+1])
		}
		for i := 0; i < len(weights); i += 2 {
			u[int(weights[i])] = weights[i+1] / math.Sqrt(sum)
		}
	}
	return u
}

// teacherStream separates the teacher's random numbers from those of runs with the same seed.
const teacherStream = 0xD1B54A32D192ED03

// randomDirection writes the unit vector of a random teacher as the solver draws it, to round-off:
// SplitMix64 through Box-Muller.
func randomDirection(u []float64, seed uint64) {
	state := seed ^ teacherStream
	uniform := func() float64 {
		state += 0x9e3779b97f4a7c15
		z := (state ^ state>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return (float64((z^z>>31)>>11) + 0.5) * 0x1p-53
	}
	norm2 := 0.0
	for i := 0; i < len(u); i += 2 {
		radius := math.Sqrt(-2 * elementary.Log(uniform()))
		sin, cos := elementary.SinCosTurns(uniform())
		u[i] = radius * cos
		if i+1 < len(u) {
			u[i+1] = radius * sin
		}
	}
	for _, x := range u {
		norm2 += float64(x * x)
	}
	for i := range u {
		u[i] /= math.Sqrt(norm2)
	}
}

// constantLabels reports whether <x, theta>² is the same for all inputs: theta lies along a
// coordinate of x, whose square is constant.
func constantLabels(a Assignment) bool {
	return a[Inputs].text == "rademacher" && a[Teacher].text == "eigen" && familyOf(a).Diagonal &&
		a[Rotate].text == "none"
}
