package sweep

import "math"

// Run is an eigenvalue repeated Count times.
type Run struct {
	Value float64
	Count int64
}

// Spectrum returns the eigenvalues q_0, q_1, ... of Q in coordinate order, normalised and
// run-length encoded, of a resolved assignment. The counts add up to dimension. Nil for ar1, whose
// eigenvectors are not coordinates.
func Spectrum(a *Assignment) []Run {
	d, scale := a[Dimension].i, normalization(a)
	var runs []Run
	add := func(value float64, count int64) {
		if count > 0 {
			runs = append(runs, Run{value * scale, count})
		}
	}
	switch a[Covariance].text {
	case "isotropic":
		add(a[Scale].num, d)
	case "spiked":
		add(1, 1)
		add(1+a[Anisotropy].num, 1)
		add(1, d-2)
	case "multi_spike":
		add(1, 1)
		for _, spike := range a[Spikes].list {
			add(1+spike, 1)
		}
		add(1, d-1-int64(len(a[Spikes].list)))
	case "power_law":
		runs = make([]Run, 0, d)
		for i := range d {
			add(powerLaw(i, a[Exponent].num), 1)
		}
	case "block":
		for i := 0; i < len(a[Blocks].list); i += 2 {
			add(a[Blocks].list[i], int64(a[Blocks].list[i+1]))
		}
	case "custom":
		runs = make([]Run, 0, d)
		for _, value := range a[Eigenvalues].list {
			add(value, 1)
		}
	}
	return runs
}

// eigenvalue is q_i of a diagonal covariance, normalised.
func eigenvalue(a *Assignment, i int64) float64 {
	q := 1.0
	switch a[Covariance].text {
	case "isotropic":
		q = a[Scale].num
	case "spiked":
		if i == 1 {
			q = 1 + a[Anisotropy].num
		}
	case "multi_spike":
		if spikes := a[Spikes].list; i >= 1 && i <= int64(len(spikes)) {
			q = 1 + spikes[i-1]
		}
	case "power_law":
		q = powerLaw(i, a[Exponent].num)
	case "block":
		blocks := a[Blocks].list
		for k := 0; k < len(blocks); k += 2 {
			if q = blocks[k]; i < int64(blocks[k+1]) {
				break
			}
			i -= int64(blocks[k+1])
		}
	case "custom":
		q = a[Eigenvalues].list[i]
	}
	return q * normalization(a)
}

// largest is the largest eigenvalue of a diagonal covariance before normalisation.
func largest(a *Assignment) float64 {
	q := 1.0
	switch a[Covariance].text {
	case "isotropic":
		q = a[Scale].num
	case "spiked":
		q = max(1, 1+a[Anisotropy].num)
	case "multi_spike":
		for _, spike := range a[Spikes].list {
			q = max(q, 1+spike)
		}
	case "block":
		q = 0
		for i := 0; i < len(a[Blocks].list); i += 2 {
			q = max(q, a[Blocks].list[i])
		}
	case "custom":
		q = 0
		for _, value := range a[Eigenvalues].list {
			q = max(q, value)
		}
	}
	return q
}

// trace is tr(Q) before normalisation.
func trace(a *Assignment) float64 {
	d := float64(a[Dimension].i)
	switch a[Covariance].text {
	case "isotropic":
		return d * a[Scale].num
	case "spiked":
		return d + a[Anisotropy].num
	case "multi_spike":
		sum := d
		for _, spike := range a[Spikes].list {
			sum += spike
		}
		return sum
	case "power_law":
		return powerSum(a[Dimension].i, a[Exponent].num)
	case "block":
		sum := 0.0
		for i := 0; i < len(a[Blocks].list); i += 2 {
			sum += a[Blocks].list[i] * a[Blocks].list[i+1]
		}
		return sum
	case "custom":
		sum := 0.0
		for _, value := range a[Eigenvalues].list {
			sum += value
		}
		return sum
	}
	return d
}

// normalization is the factor that `normalize` puts on Q: 1, d/tr Q, 1/tr Q or 1/q_max.
func normalization(a *Assignment) float64 {
	switch a[Normalize].text {
	case "trace_d":
		return float64(a[Dimension].i) / trace(a)
	case "trace_1":
		return 1 / trace(a)
	case "max_1":
		return 1 / largest(a)
	}
	return 1
}

// powerLaw is (i+1)^-p.
func powerLaw(i int64, p float64) float64 { return math.Pow(float64(i+1), -p) }

// powerSum is the sum of i^-p over i = 1..d: the first terms as they are, the rest by the
// Euler-Maclaurin formula, so that planning a power law costs the same at any dimension. Relative
// error below 1e-15 for p in [0, 20].
func powerSum(d int64, p float64) float64 {
	const head = 32
	sum := 0.0
	for i := range min(d, head) {
		sum += powerLaw(i, p)
	}
	if d <= head {
		return sum
	}
	low, high := float64(head), float64(d)
	flow, fhigh := math.Pow(low, -p), math.Pow(high, -p)
	// ∫ x^-p from low to high, without cancellation near p = 1.
	integral := low * flow * math.Log(high/low)
	if p != 1 {
		integral = low * flow * math.Expm1((1-p)*math.Log(high/low)) / (1 - p)
	}
	sum += integral + (fhigh-flow)/2
	// B_2k/(2k)! (f^(2k-1)(high) - f^(2k-1)(low)), f^(2k-1)(x) = -p(p+1)...(p+2k-2) x^(-p-2k+1).
	bernoulli := [...]float64{1. / 12, -1. / 720, 1. / 30240, -1. / 1209600, 1. / 47900160}
	rising := p
	for k, b := range bernoulli {
		flow, fhigh = flow/low, fhigh/high
		sum += b * rising * (flow - fhigh)
		flow, fhigh = flow/low, fhigh/high
		rising *= (p + float64(2*k+1)) * (p + float64(2*k+2))
	}
	return sum
}
