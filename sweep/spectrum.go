package sweep

import (
	"fmt"
	"iter"

	"github.com/phasegrid/phasegrid/sweep/elementary"
)

// The functions of the rows of the table of covariances.

func multiSpikeSpectrum(a Assignment) iter.Seq[Run] {
	spikes := a[Spikes].list
	return func(yield func(Run) bool) {
		if !yield(Run{1, 1}) {
			return
		}
		for _, spike := range spikes {
			if !yield(Run{1 + spike, 1}) {
				return
			}
		}
		if bulk := a[Dimension].i - 1 - int64(len(spikes)); bulk > 0 {
			yield(Run{1, bulk})
		}
	}
}

func powerLawSpectrum(a Assignment) iter.Seq[Run] {
	return func(yield func(Run) bool) {
		for i := range a[Dimension].i {
			if !yield(Run{powerLaw(i, a[Exponent].num), 1}) {
				return
			}
		}
	}
}

func blockSpectrum(a Assignment) iter.Seq[Run] {
	blocks := a[Blocks].list
	return func(yield func(Run) bool) {
		for i := 0; i < len(blocks); i += 2 {
			if !yield(Run{blocks[i], int64(blocks[i+1])}) {
				return
			}
		}
	}
}

func customSpectrum(a Assignment) iter.Seq[Run] {
	return func(yield func(Run) bool) {
		for _, value := range a[Eigenvalues].list {
			if !yield(Run{value, 1}) {
				return
			}
		}
	}
}

// blockSpecial counts the directions outside the largest block.
func blockSpecial(a Assignment) int64 {
	widest := int64(0)
	for i := 1; i < len(a[Blocks].list); i += 2 {
		widest = max(widest, int64(a[Blocks].list[i]))
	}
	return a[Dimension].i - widest
}

func checkDistinct(a Assignment) []violation {
	d := a[Dimension].i
	if d <= maxDistinct {
		return nil
	}
	return broken(
		Dimension,
		"dimension: got %d, want at most %d with covariance: %s, whose eigenvalues are all different",
		d,
		maxDistinct,
		a[Covariance].text,
	)
}

func checkSpiked(a Assignment) []violation {
	d := a[Dimension].i
	if d >= 2 {
		return nil
	}
	return broken(Dimension, "dimension: got %d, want at least 2 with covariance: spiked (the spike is at index 1)", d)
}

func checkMultiSpike(a Assignment) []violation {
	n, d := int64(len(a[Spikes].list)), a[Dimension].i
	if d >= n+1 {
		return nil
	}
	return broken(Spikes, "spikes: got %d numbers, want at most dimension - 1 = %d (they start at index 1)", n, d-1)
}

func checkBlock(a Assignment) []violation {
	total, d := int64(0), a[Dimension].i
	for i := 1; i < len(a[Blocks].list); i += 2 {
		total += int64(a[Blocks].list[i])
	}
	if total == d {
		return nil
	}
	return broken(Blocks, "blocks: got a sum of counts of %d, want dimension %d", total, d)
}

func checkCustom(a Assignment) []violation {
	n, d := int64(len(a[Eigenvalues].list)), a[Dimension].i
	if n == d {
		return nil
	}
	return broken(Eigenvalues, "eigenvalues: got %d numbers, want dimension = %d", n, d)
}

func checkAR1(a Assignment) []violation {
	all := checkDistinct(a)
	if n := a[Normalize].text; n == "trace_1" || n == "max_1" {
		all = append(all, broken(Normalize,
			"normalize: got %s, want none or trace_d with covariance: ar1", n)...)
	}
	return all
}

// sum adds numbers to start, in order.
func sum(start float64, numbers []float64) float64 {
	for _, x := range numbers {
		start += x
	}
	return start
}

// powerLaw is (i+1)^-p.
func powerLaw(i int64, p float64) float64 { return elementary.Pow(float64(i+1), -p) }

// bernoulli are B_2k/(2k)!, k = 1..5.
var bernoulli = [...]float64{1. / 12, -1. / 720, 1. / 30240, -1. / 1209600, 1. / 47900160}

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
	flow, fhigh := elementary.Pow(low, -p), elementary.Pow(high, -p)
	// ∫ x^-p from low to high, without cancellation near p = 1.
	integral := float64(low * flow * elementary.Log(high/low))
	if p != 1 {
		integral = low * flow * elementary.Expm1((1-p)*elementary.Log(high/low)) / (1 - p)
	}
	sum += integral + float64((fhigh-flow)/2)
	// bernoulli[k-1] (f^(2k-1)(high) - f^(2k-1)(low)), f^(2k-1)(x) = -p(p+1)...(p+2k-2)
	// x^(-p-2k+1).
	rising := p
	for k, b := range bernoulli {
		flow, fhigh = float64(flow/low), fhigh/high
		sum += float64(b * rising * (flow - fhigh))
		flow, fhigh = float64(flow/low), fhigh/high
		rising = float64(rising * float64((p+float64(2*k+1))*(p+float64(2*k+2))))
	}
	return sum
}

// SQL of the lists of covariances.
const (
	spikesSQL      = "TRY_CAST(spikes AS DOUBLE[])"
	blocksSQL      = "TRY_CAST(blocks AS DOUBLE[][])"
	blockValuesSQL = "[b[1] for b in " + blocksSQL + "]"
	eigenvaluesSQL = "TRY_CAST(eigenvalues AS DOUBLE[])"
)

// distinctGapSQL is the largest value of a list less the next distinct one, or 0.
func distinctGapSQL(list string) string {
	sorted := "list_reverse_sort(list_distinct(" + list + "))"
	return "coalesce(" + sorted + "[1] - " + sorted + "[2], 0)"
}

// powerSumSQL is powerSum in SQL. ∫ x^-p is taken with expm1(x) = 2 exp(x/2) sinh(x/2).
func powerSumSQL() string {
	const head, d = "32.0", "dimension::DOUBLE"
	half := "((1 - exponent) * ln(" + d + " / " + head + ") / 2)"
	terms := fmt.Sprintf("%[1]s * pow(%[1]s, -exponent) * ln(%[2]s / %[1]s)"+
		" * CASE WHEN %[3]s = 0 THEN 1 ELSE exp(%[3]s) * sinh(%[3]s) / %[3]s END"+
		" + (pow(%[2]s, -exponent) - pow(%[1]s, -exponent)) / 2", head, d, half)
	rising := "exponent"
	for k, b := range bernoulli {
		terms += fmt.Sprintf(" + %v * %s * (pow(%s, -exponent - %d) - pow(%s, -exponent - %[4]d))",
			b, rising, head, 2*k+1, d)
		rising += fmt.Sprintf(" * (exponent + %d) * (exponent + %d)", 2*k+1, 2*k+2)
	}
	return "list_sum([pow(i, -exponent) for i in range(1, least(dimension, 32) + 1)])" +
		" + CASE WHEN dimension > 32 THEN " + terms + " ELSE 0 END"
}

// ar1SQL is the k-th largest eigenvalue of Q_ij = rho^|i-j|, which is
//
//	(1 - r²)/((1 - r)² + 4r sin²(x/2)) with r = |rho|, (d-1)x + 2 arg(exp(ix) - r) = k pi.
//
// The left-hand side is concave in x, so Newton's method from 0 approaches x from below; 64 steps
// are enough for every r below 1.
func ar1SQL(k int) string {
	const (
		square = "pow(sin(x / 2), 2)"
		phase  = "(dimension - 1) * x + 2 * atan2(sin(x), 1 - abs(rho) - 2 * " + square + ")"
		slope  = "dimension - 1 + 2 * (1 - abs(rho) + 2 * abs(rho) * " + square + ")" +
			" / (pow(1 - abs(rho), 2) + 4 * abs(rho) * " + square + ")"
	)
	angle := fmt.Sprintf(
		"list_reduce(list_resize([0::DOUBLE], 65, 0::DOUBLE), lambda x, y: x + (%d * pi() - (%s)) / (%s))",
		k,
		phase,
		slope,
	)
	return "(1 - abs(rho)) * (1 + abs(rho)) / (pow(1 - abs(rho), 2) + 4 * abs(rho) * pow(sin(" + angle + " / 2), 2))"
}
