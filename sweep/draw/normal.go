package draw

import (
	"github.com/phasegrid/phasegrid/sweep/elementary"
)

// Normal is a normal distribution, cut off at from and to if they are finite. A draw takes the
// uniform at the middle of its 2^-53 cell, so that it is finite: at most 8.3 standard deviations
// from the mean, unless from or to are further in the tail.
type Normal struct {
	mean, sd, from, to float64
	// The probabilities of numbers below from, above to, and between them.
	below, above, between elementary.Double
}

// MinMass is the least probability of the numbers between from and to.
const MinMass = 1e-9

// NewNormal returns the normal distribution between from and to, from < to and perhaps infinite.
// ok is false if the probability of that is below MinMass. mean is at most 1e250 in magnitude, and
// sd from 1e-250 to 1e250.
func NewNormal(mean, sd, from, to float64) (n Normal, ok bool) {
	below, above := probability(mean, sd, from), probability(-mean, sd, -to)
	between := elementary.Double{High: 1}.Add(below.Minus()).Add(above.Minus())
	return Normal{mean, sd, from, to, below, above, between}, between.High >= MinMass
}

// At is the value of u, rounded once from a number within 1 part in 2^53 of the distance to the
// mean.
func (n Normal) At(u Uniform) float64 {
	const cells = 1 << 53
	k := u.Below(cells)
	var z elementary.Double
	if p := n.below.Add(n.between.Times(middle(k))); p.Value() <= 0.5 {
		z = quantile(p)
	} else {
		z = quantile(n.above.Add(n.between.Times(middle(cells - 1 - k)))).Minus()
	}
	x := z.Times(elementary.Double{High: n.sd}).Add(elementary.Double{High: n.mean}).Value()
	return min(max(x, n.from), n.to)
}

// middle is the middle of cell k of 2^53 in [0, 1), exactly.
func middle(k uint64) elementary.Double { return elementary.Sum(float64(float64(k)*0x1p-53), 0x1p-54) }

// quantile is the number that a standard normal one is below with probability p, 0 < p <= 1/2. It
// is Wichura's rational functions, Algorithm AS 241, Appl. Statist. 37 (1988), which are off by
// less than 1 part in 2^53. They are evaluated on doubles: the error is smooth, and what is rounded
// at the end rises with p.
func quantile(p elementary.Double) elementary.Double {
	const inner = 0.425 // of 1/2 - p
	var (
		square = elementary.Double{High: 0.180625, Low: -0x1.1eb851eb851ecp-57} // of inner
		shift  = elementary.Double{High: -1.6, Low: 0x1.999999999999ap-54}
	)
	t := elementary.Double{High: 0.5}.Add(p.Minus())
	if t.High <= inner {
		r := square.Add(t.Times(t).Minus())
		return t.Times(ratio(r, &centre)).Minus()
	}
	r := p.Log().Minus().Sqrt()
	if r.High <= 5 {
		return ratio(r.Add(shift), &tail).Minus()
	}
	return ratio(r.Add(elementary.Double{High: -5}), &farTail).Minus()
}

// rational are the coefficients of numerator and denominator, from the constant one on.
type rational [2][8]float64

// ratio is the value of a rational function. All coefficients are positive.
func ratio(r elementary.Double, c *rational) elementary.Double {
	var value [2]elementary.Double
	for i, polynomial := range c {
		for k := len(polynomial) - 1; k >= 0; k-- {
			value[i] = value[i].Times(r).Add(elementary.Double{High: polynomial[k]})
		}
	}
	return value[0].Over(value[1])
}

// The coefficients of AS 241: for |1/2 - p| up to 0.425, and for sqrt(-ln p) up to 5 and beyond.
var (
	centre = rational{
		{
			3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
			4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
		},
		{
			1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
			2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
		},
	}
	tail = rational{
		{
			1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
			1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
		},
		{
			1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
			1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
		},
	}
	farTail = rational{
		{
			6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
			2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
		},
		{
			1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
			7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
		},
	}
)

// far is how many standard deviations below the mean a probability is taken as 0: it is below
// 2^-188, and a draw between bounds has at least MinMass·2^-54.
const far = 16

// rootOfTwoPi is sqrt(2π).
var rootOfTwoPi = elementary.Double{High: 0x1.40d931ff62706p+1, Low: -0x1.a6a0d6f814637p-53}

// probability is that of numbers below x, which may be infinite.
func probability(mean, sd, x float64) elementary.Double {
	switch z := (x - mean) / sd; {
	case z < -far:
		return elementary.Double{}
	case z > far:
		return elementary.Double{High: 1}
	case z > 0:
		return elementary.Double{High: 1}.Add(probability(-mean, sd, -x).Minus())
	}
	return lower(elementary.Sum(x, -mean).Over(elementary.Double{High: sd}))
}

// lower is the probability of standard normal numbers below z <= 0, to about 1 part in 2^64.
func lower(z elementary.Double) elementary.Double {
	density := z.Times(z).Times(elementary.Double{High: -0.5}).Exp().Over(rootOfTwoPi)
	if z.High > -2 { // 1/2 + density·(z + z³/3 + z⁵/(3·5) + ...)
		sum, term := elementary.Double{}, z
		for n := 1.0; n < 80; n += 2 {
			sum = sum.Add(term)
			term = term.Times(z).Times(z).Over(elementary.Double{High: n + 2})
		}
		return elementary.Double{High: 0.5}.Add(density.Times(sum))
	}
	// Laplace's continued fraction: density/(x + 1/(x + 2/(x + ...))) with x = -z.
	x := z.Minus()
	fraction := x
	for n := 200.0; n >= 1; n-- {
		fraction = x.Add(elementary.Double{High: n}.Over(fraction))
	}
	return density.Over(fraction)
}
