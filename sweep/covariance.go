package sweep

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
)

// CovarianceFamily is a family of Q, the covariance of x ~ N(0, Q), and what checking, planning and
// documenting a sweep needs to know about it. Covariances returns the table that everything else
// derives from. Functions take an assignment whose parameters have been checked one by one; what
// they return is before `normalize`.
type CovarianceFamily struct {
	// Name is the value of the parameter covariance.
	Name string
	// Formula gives the eigenvalues q_i of a diagonal Q, i = 0..d-1, or else the entries Q_ij.
	Formula string
	// Parameters are those that it adds, in the order of the parameter table.
	Parameters []OwnParameter
	// Diagonal: the eigenvectors are the coordinate axes. Families that are not diagonal have no
	// spectrum here and run dense.
	Diagonal bool
	// SQL gives the ends of the spectrum for views of result sets.
	SQL SpectrumSQL

	// spectrum yields q_0, q_1, ... run-length encoded, with no count below 1. nil: not diagonal.
	spectrum func(a Assignment) iter.Seq[Run]
	// distinct bounds the number of different eigenvalues, at most d. nil: d.
	distinct func(a Assignment) int64
	// special counts the directions outside the largest isotropic block. nil: no large block.
	special func(a Assignment) int64
	// check returns the rules between its parameters and d that fail. nil: no rules.
	check func(a Assignment) []violation

	// The rest may be nil where a pass over the spectrum is fast enough and rounds well enough.
	eigenvalue func(a Assignment, i int64) float64
	largest    func(a Assignment) float64
	trace      func(a Assignment) float64
	// curvature is lambda_max((thetaᵀQtheta) Q + 2 Q theta thetaᵀ Q) of a family that is not
	// diagonal, for ‖theta‖ = 1.
	curvature func(a Assignment) float64
}

// SpectrumSQL has expressions in DuckDB's SQL of the columns of dimension and of the family's
// parameters, in which lists are JSON text. They are before `normalize`.
type SpectrumSQL struct {
	// Gap is the largest eigenvalue less the one that it competes with: the bulk's where there are
	// spikes, else the next distinct one. 0 where there is none.
	Gap     string
	Largest string
	Trace   string
}

// Run is an eigenvalue repeated Count times.
type Run struct {
	Value float64
	Count int64
}

// maxDistinct bounds the dimension of covariances with as many eigenvalues as dimensions.
const maxDistinct = 1_000_000

// covarianceTable is in the order in which sweep files, help and documentation list the families.
var covarianceTable = []CovarianceFamily{
	{
		Name:       "isotropic",
		Formula:    "q_i = scale",
		Parameters: []OwnParameter{{Scale, floatValue(1)}},
		SQL:        SpectrumSQL{Gap: "0", Largest: "scale", Trace: "dimension * scale"},
		Diagonal:   true,
		spectrum: func(a Assignment) iter.Seq[Run] {
			return listed(Run{a[Scale].num, a[Dimension].i})
		},
		distinct: func(Assignment) int64 { return 1 },
		special:  func(Assignment) int64 { return 0 },
	},
	{
		Name:       "spiked",
		Formula:    "q_1 = 1 + anisotropy, the other q_i = 1",
		Parameters: []OwnParameter{{Anisotropy, nullValue()}},
		SQL:        SpectrumSQL{"greatest(anisotropy, 0)", "1 + greatest(anisotropy, 0)", "dimension + anisotropy"},
		Diagonal:   true,
		spectrum: func(a Assignment) iter.Seq[Run] {
			return listed(Run{1, 1}, Run{1 + a[Anisotropy].num, 1}, Run{1, a[Dimension].i - 2})
		},
		distinct: func(Assignment) int64 { return 2 },
		special:  func(Assignment) int64 { return 1 },
		check:    checkSpiked,
		trace:    func(a Assignment) float64 { return a[Dimension].Float() + a[Anisotropy].num },
	},
	{
		Name:       "multi_spike",
		Formula:    "q_(1+j) = 1 + spikes[j], the other q_i = 1",
		Parameters: []OwnParameter{{Spikes, nullValue()}},
		SQL: SpectrumSQL{
			Gap:     "greatest(list_max(" + spikesSQL + "), 0)",
			Largest: "1 + greatest(list_max(" + spikesSQL + "), 0)",
			Trace:   "dimension + coalesce(list_sum(" + spikesSQL + "), 0)",
		},
		Diagonal: true,
		spectrum: multiSpikeSpectrum,
		distinct: func(a Assignment) int64 { return 1 + int64(len(a[Spikes].list)) },
		special:  func(a Assignment) int64 { return int64(len(a[Spikes].list)) },
		check:    checkMultiSpike,
		trace:    func(a Assignment) float64 { return sum(a[Dimension].Float(), a[Spikes].list) },
	},
	{
		Name:       "power_law",
		Formula:    "q_i = (i+1)^(-exponent)",
		Parameters: []OwnParameter{{Exponent, nullValue()}},
		SQL: SpectrumSQL{
			Gap:     "CASE WHEN dimension > 1 THEN 1 - pow(2.0, -exponent) ELSE 0 END",
			Largest: "1",
			Trace:   powerSumSQL(),
		},
		Diagonal:   true,
		spectrum:   powerLawSpectrum,
		check:      checkDistinct,
		eigenvalue: func(a Assignment, i int64) float64 { return powerLaw(i, a[Exponent].num) },
		largest:    func(Assignment) float64 { return 1 },
		trace:      func(a Assignment) float64 { return powerSum(a[Dimension].i, a[Exponent].num) },
	},
	{
		Name:       "block",
		Formula:    "q_i by blocks of [value, count], in order",
		Parameters: []OwnParameter{{Blocks, nullValue()}},
		SQL: SpectrumSQL{
			Gap:     distinctGapSQL(blockValuesSQL),
			Largest: "list_max(" + blockValuesSQL + ")",
			Trace:   "list_sum([b[1] * b[2] for b in " + blocksSQL + "])",
		},
		Diagonal: true,
		spectrum: blockSpectrum,
		distinct: func(a Assignment) int64 { return int64(len(a[Blocks].list) / 2) },
		special:  blockSpecial,
		check:    checkBlock,
	},
	{
		Name:       "custom",
		Formula:    "q_i = eigenvalues[i]",
		Parameters: []OwnParameter{{Eigenvalues, nullValue()}},
		SQL: SpectrumSQL{
			Gap:     distinctGapSQL(eigenvaluesSQL),
			Largest: "list_max(" + eigenvaluesSQL + ")",
			Trace:   "list_sum(" + eigenvaluesSQL + ")",
		},
		Diagonal:   true,
		spectrum:   customSpectrum,
		check:      checkCustom,
		eigenvalue: func(a Assignment, i int64) float64 { return a[Eigenvalues].list[i] },
	},
	{
		Name:       "ar1",
		Formula:    "Q_ij = rho^|i-j|",
		Parameters: []OwnParameter{{Rho, nullValue()}},
		SQL: SpectrumSQL{
			Gap:     "CASE WHEN dimension > 1 THEN " + ar1SQL(1) + " - " + ar1SQL(2) + " ELSE 0 END",
			Largest: ar1SQL(1),
			Trace:   "dimension",
		},
		check:     checkAR1,
		trace:     func(a Assignment) float64 { return a[Dimension].Float() },
		curvature: ar1Curvature,
	},
}

// Covariances returns the table of covariances. The caller owns the slice, but not what its rows
// refer to.
func Covariances() []CovarianceFamily { return slices.Clone(covarianceTable) }

// CheckCovariances returns an error for a row of the table that would panic or be wrong in a run.
func CheckCovariances() error {
	seen := map[string]bool{}
	for i := range covarianceTable {
		f := &covarianceTable[i]
		if err := f.complete(); err != nil {
			return err
		}
		if seen[f.Name] {
			return fmt.Errorf("check covariance %s: it has two rows", f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}

// complete returns an error unless the row has the functions that its kind of Q needs.
func (f *CovarianceFamily) complete() error {
	switch {
	case f.Name == "":
		return errors.New("check covariances: a row has no name")
	case f.Diagonal != (f.spectrum != nil):
		return fmt.Errorf(
			"check covariance %s: got Diagonal %v, want it with spectrum and only with it",
			f.Name,
			f.Diagonal,
		)
	case !f.Diagonal && (f.trace == nil || f.curvature == nil):
		return fmt.Errorf("check covariance %s: it is not diagonal and lacks trace or curvature", f.Name)
	case f.Diagonal && f.curvature != nil:
		return fmt.Errorf("check covariance %s: it is diagonal and has curvature", f.Name)
	}
	return nil
}

// noFamily stands in where a sweep names no known covariance.
var noFamily = CovarianceFamily{Diagonal: true, spectrum: func(Assignment) iter.Seq[Run] { return listed() }}

// familyOf returns the row of the assignment's covariance.
func familyOf(a Assignment) *CovarianceFamily {
	for i := range covarianceTable {
		if covarianceTable[i].Name == a[Covariance].text {
			return &covarianceTable[i]
		}
	}
	return &noFamily
}

// covarianceNames lists the table's names, or those that a condition holds for.
func covarianceNames(holds func(f *CovarianceFamily) bool) []string {
	var names []string
	for i := range covarianceTable {
		if holds(&covarianceTable[i]) {
			names = append(names, covarianceTable[i].Name)
		}
	}
	return names
}

// Spectrum returns the eigenvalues q_0, q_1, ... of Q in coordinate order, normalised and
// run-length encoded, of a resolved assignment. The counts add up to dimension. It is nil for a Q
// that is not diagonal.
func Spectrum(a Assignment) []Run {
	f := familyOf(a)
	if !f.Diagonal {
		return nil
	}
	scale := normalization(a)
	var runs []Run
	for r := range f.spectrum(a) {
		runs = append(runs, Run{r.Value * scale, r.Count})
	}
	return runs
}

// groups bounds the number of coefficients of a reduced run: the teacher's, and one for each other
// eigenvalue.
func groups(a Assignment) int64 {
	d := a[Dimension].i
	if f := familyOf(a); f.distinct != nil {
		return min(d, 1+f.distinct(a))
	}
	return d
}

// special is the number of directions outside the largest isotropic block that the covariance
// itself singles out; 0 where there is no such block.
func special(a Assignment) int64 {
	if f := familyOf(a); f.special != nil {
		return f.special(a)
	}
	return 0
}

// eigenvalue is q_i of a diagonal covariance, normalised.
func eigenvalue(a Assignment, i int64) float64 {
	f := familyOf(a)
	if f.eigenvalue != nil {
		return f.eigenvalue(a, i) * normalization(a)
	}
	q := 1.0
	for r := range f.spectrum(a) {
		if q = r.Value; i < r.Count {
			break
		}
		i -= r.Count
	}
	return q * normalization(a)
}

// largest is the largest eigenvalue of a diagonal covariance before normalisation.
func largest(a Assignment) float64 {
	f := familyOf(a)
	if f.largest != nil {
		return f.largest(a)
	}
	q := 0.0
	for r := range f.spectrum(a) {
		q = max(q, r.Value)
	}
	return q
}

// trace is tr(Q) before normalisation.
func trace(a Assignment) float64 {
	f := familyOf(a)
	if f.trace != nil {
		return f.trace(a)
	}
	sum := 0.0
	for r := range f.spectrum(a) {
		sum += float64(r.Value * float64(r.Count))
	}
	return sum
}

// normalization is the factor that `normalize` puts on Q: 1, d/tr Q, 1/tr Q or 1/q_max.
func normalization(a Assignment) float64 {
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

// listed yields the runs that are not empty.
func listed(runs ...Run) iter.Seq[Run] {
	return func(yield func(Run) bool) {
		for _, r := range runs {
			if r.Count > 0 && !yield(r) {
				return
			}
		}
	}
}

// InputStableRank is tr(Q)/lambda_max(Q) of a resolved point.
func InputStableRank(a Assignment) float64 {
	if familyOf(a).Diagonal {
		return trace(a) / largest(a)
	}
	d, rho := int(a[Dimension].i), a[Rho].num
	return float64(d) / ar1Largest(d, rho)
}

// ar1Largest is lambda_max(Q), Q_ij = rho^|i-j|. Q⁻¹ is tridiagonal: mu lies above the eigenvalues
// iff all pivots of mu Q⁻¹ - I are positive.
func ar1Largest(d int, rho float64) float64 {
	return bisect(0, (1+math.Abs(rho))/(1-math.Abs(rho)), func(mu float64) bool {
		scale, pivot := mu/(1-float64(rho*rho)), math.Inf(1)
		for i := range d {
			below := rho * scale
			pivot = float64(scale*ar1Inverse(rho, i, d)) - 1 - below*below/pivot
			if !(pivot > 0) {
				return false
			}
		}
		return true
	})
}

// ar1Inverse is 1 - rho² times element (i, i) of Q⁻¹, Q_ij = rho^|i-j|.
func ar1Inverse(rho float64, i, d int) float64 {
	switch {
	case d == 1:
		return 1 - float64(rho*rho)
	case i == 0 || i == d-1:
		return 1
	}
	return 1 + float64(rho*rho)
}
