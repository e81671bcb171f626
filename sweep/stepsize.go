package sweep

import (
	"fmt"
	"math"
	"strings"
)

// stepLimit is the largest stable step of gradient descent at the optimum,
//
//	eta_max = 1/lambda_max((thetaᵀQtheta) Q + 2 Q theta thetaᵀ Q),
//
// which is 1/(‖theta‖² max(3 q_u², q_u q_max)) for a teacher along an eigenvector with eigenvalue
// q_u. A rotation turns Q and theta together and leaves it as it is. a must be resolved up to its
// learning rate.
func stepLimit(a Assignment) float64 {
	norm2 := ThetaNorm2(a)
	switch {
	case familyOf(a).curvature != nil:
		return 1 / (norm2 * familyOf(a).curvature(a))
	case a[Teacher].text == "eigen":
		q := eigenvalue(a, a[TeacherIndex].i)
		return 1 / (norm2 * max(3*q*q, q*largest(a)*normalization(a)))
	}
	return 1 / diagonalCurvature(a)
}

// quantity is a number that expressions can read, beside the parameters.
type quantity struct {
	name  string
	reads idSet // the parameters that it depends on, but for those that decide whether they apply
	// value is the quantity of an assignment that is resolved up to its learning rate; nil where
	// there is none.
	value func(a Assignment) any
}

func quantities() []quantity {
	reads := defaultReads(LearningRate)
	return []quantity{
		{"step_limit", reads.without(Model).without(Optimizer).without(Width).without(Init).without(Momentum),
			func(a Assignment) any { return finite(stepLimit(a)) }},
		{"auto_learning_rate", reads, func(a Assignment) any {
			if rate := ruleOf(a).AutoRate.rate; rate != nil {
				return finite(rate(a))
			}
			return nil
		}},
	}
}

// finite is x, or nil if it is not a finite number.
func finite(x float64) any {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return x
}

// resolveLearningRate turns auto into the number that the optimizer's row gives. It returns what is
// wrong if the row has no rule.
func resolveLearningRate(a Assignment) string {
	if a[LearningRate].Kind() != KindText {
		return ""
	}
	rule := ruleOf(a)
	if rule.AutoRate.rate == nil {
		return fmt.Sprintf("learning_rate: auto is defined for optimizers %s, not for %s; give a number",
			enumeration(optimizerNames(func(r *UpdateRule) bool { return r.AutoRate.rate != nil })), a[Optimizer].text)
	}
	a[LearningRate] = floatValue(rule.AutoRate.rate(a))
	return ""
}

// enumeration writes words as "a, b and c".
func enumeration(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// unstableStep reports whether gd runs above its step-size limit, where the reduced run may look
// converged while a run with any round-off off the manifold diverges.
func unstableStep(a Assignment) bool {
	return ruleOf(a).StepLimited && a[LearningRate].num > stepLimit(a)
}

// resonantStep reports whether a sign-like optimizer starts a whole number of steps away from zero:
// its coefficients then land on 0 exactly, or miss it by round-off, and sign(0) decides the run.
func resonantStep(a Assignment) bool {
	rule := ruleOf(a)
	if rule.Sign.size == nil {
		return false
	}
	size := rule.Sign.size(a)
	ratio := a[InitScale].num / (a[LearningRate].num * size)
	whole := math.Round(ratio)
	return size > 0 && whole >= 1 && math.Abs(ratio-whole) <= 1e-6
}

// diagonalCurvature is lambda_max(c Q + 2zzᵀ) with c = thetaᵀQtheta and z = Q theta, for a diagonal
// Q and a teacher that is no eigenvector: mu lies above it iff mu > c q_max and 2 sum of z_i²/(mu -
// c q_i) < 1 (the secular equation).
func diagonalCurvature(a Assignment) float64 {
	terms := teacherTerms(a, ThetaNorm2(a))
	c, z2 := 0.0, 0.0
	for _, t := range terms {
		c += float64(t.theta2 * t.q)
		z2 += float64(t.theta2 * t.q * t.q)
	}
	top := float64(c * largest(a) * normalization(a))
	return bisect(top, top+float64(2*z2), func(mu float64) bool {
		sum := 0.0
		for _, t := range terms {
			if !(mu > c*t.q) {
				return false
			}
			sum += t.theta2 * t.q * t.q / (mu - float64(c*t.q))
		}
		return 2*sum < 1
	})
}

// ar1Curvature is lambda_max(c Q + 2zzᵀ) for ‖theta‖ = 1, c = thetaᵀQtheta, z = Q theta, Q_ij =
// rho^|i-j|. Q⁻¹ is tridiagonal, so mu is tested in O(d): mu > c lambda_max(Q) iff T = mu Q⁻¹ - c I
// is positive definite, and then mu lies above iff 2 zᵀT⁻¹theta < 1.
func ar1Curvature(a Assignment) float64 {
	rho, theta := a[Rho].num, direction(a)
	z := ar1Product(rho, theta)
	c, z2 := 0.0, 0.0
	for i := range z {
		c += float64(theta[i] * z[i])
		z2 += float64(z[i] * z[i])
	}
	above := func(mu float64) bool {
		// Beside the diagonal Q⁻¹ is -rho/(1-rho²). T = LDLᵀ; y = L⁻¹theta, v = L⁻¹z, so that
		// zᵀT⁻¹theta = sum of v_i y_i / D_i.
		scale := mu / (1 - float64(rho*rho))
		var pivot, y, v, sum float64
		for i := range z {
			below := 0.0
			if i > 0 {
				below = -rho * scale / pivot
			}
			pivot = float64(scale*ar1Inverse(rho, i, len(z))) - c - float64(below*below*pivot)
			if !(pivot > 0) {
				return false
			}
			y, v = theta[i]-float64(below*y), z[i]-float64(below*v)
			sum += v * y / pivot
		}
		return 2*sum < 1
	}
	return bisect(0, c*(1+math.Abs(rho))/(1-math.Abs(rho))+2*z2, above)
}

// ar1Product is Qx for Q_ij = rho^|i-j|, in O(d).
func ar1Product(rho float64, x []float64) []float64 {
	product := make([]float64, len(x))
	sum := 0.0
	for i := range x {
		sum = x[i] + float64(rho*sum)
		product[i] = sum
	}
	sum = 0
	for i := len(x) - 2; i >= 0; i-- {
		sum = float64(rho * (x[i+1] + sum))
		product[i] += sum
	}
	return product
}

// bisect returns the smallest number of (low, high] that is above; above is monotone and holds at
// high.
func bisect(low, high float64, above func(x float64) bool) float64 {
	for {
		middle := low + float64((high-low)/2)
		if !(low < middle && middle < high) { // NaN ends it too
			return high
		}
		if above(middle) {
			high = middle
		} else {
			low = middle
		}
	}
}
