package fit

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Line is y = Intercept + Slope x, fitted to points. What the points do not determine is NaN.
type Line struct {
	Slope, Intercept float64
	StandardError    float64 // of the slope; NaN for a Theil-Sen line
	Low, High        float64 // confidence interval of the slope
	R2               float64 // 1 - sum of squared residuals / sum of squares about the mean of y
}

// undetermined is the line through points that determine none.
func undetermined() Line {
	nan := math.NaN()
	return Line{nan, nan, nan, nan, nan, nan}
}

// LeastSquares fits a line by ordinary least squares. x and y are equally long and finite. The
// interval is Slope ± t StandardError with Student's t for n - 2 degrees of freedom at the given
// confidence, in (0, 1). It covers the slope with that probability if the residuals are independent
// and normal with one variance. It needs three points, and the line two different x.
func LeastSquares(x, y []float64, confidence float64) Line {
	line, n := undetermined(), float64(len(x))
	if n < 2 || slices.Min(x) == slices.Max(x) {
		return line
	}
	line.Intercept, line.Slope = stat.LinearRegression(x, y, nil, false)
	line.R2 = rSquared(x, y, line)
	if n == 2 {
		return line
	}
	squares := 0.0
	for i := range x {
		residual := y[i] - line.Intercept - line.Slope*x[i]
		squares += residual * residual
	}
	spread := (n - 1) * stat.Variance(x, nil)
	line.StandardError = math.Sqrt(squares / (n - 2) / spread)
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 2}.Quantile((1 + confidence) / 2)
	line.Low, line.High = line.Slope-t*line.StandardError, line.Slope+t*line.StandardError
	return line
}

// rSquared is the coefficient of determination of a line; NaN where y is constant.
func rSquared(x, y []float64, line Line) float64 {
	if slices.Min(y) == slices.Max(y) {
		return math.NaN()
	}
	return stat.RSquared(x, y, nil, line.Intercept, line.Slope)
}

// maxRobust is the number of points that theilSen takes at most: it sorts the slopes of all pairs.
const maxRobust = 4000

// theilSen fits a line whose slope is the median of the slopes through all pairs of points with
// different x, and whose intercept is median(y) - Slope median(x). The interval has order
// statistics of these slopes as its ends, by the normal approximation to the distribution of
// Kendall's S with its correction for ties (Sen 1968). It covers the slope with the given
// probability if the residuals are independent and of one continuous distribution, whatever that
// is; it is NaN where the points are too few for the confidence.
func theilSen(x, y []float64, confidence float64) Line {
	line := undetermined()
	var slopes []float64
	for i := range x {
		for j := range i {
			if x[i] != x[j] {
				slopes = append(slopes, (y[i]-y[j])/(x[i]-x[j]))
			}
		}
	}
	if len(slopes) == 0 {
		return line
	}
	slices.Sort(slopes)
	line.Slope = median(slopes)
	line.Intercept = median(sorted(y)) - line.Slope*median(sorted(x))
	line.R2 = rSquared(x, y, line)
	z := distuv.UnitNormal.Quantile((1 + confidence) / 2)
	reach, pairs := z*math.Sqrt(kendallVariance(x, y)), float64(len(slopes))
	low, high := math.RoundToEven((pairs-reach)/2)-1, math.RoundToEven((pairs+reach)/2)
	if low >= 0 && high < pairs {
		line.Low, line.High = slopes[int(low)], slopes[int(high)]
	}
	return line
}

// kendallVariance is the variance of Kendall's S of n pairs without correlation: the sum of
// m (m-1) (2m+5) / 18 over n, less that over the groups of m equal x and those of m equal y.
func kendallVariance(x, y []float64) float64 {
	term := func(m float64) float64 { return m * (m - 1) * (2*m + 5) / 18 }
	variance := term(float64(len(x)))
	for _, values := range [][]float64{sorted(x), sorted(y)} {
		for from, to := 0, 0; from < len(values); from = to {
			for to < len(values) && values[to] == values[from] {
				to++
			}
			variance -= term(float64(to - from))
		}
	}
	return max(variance, 0)
}

func sorted(values []float64) []float64 { return slices.Sorted(slices.Values(values)) }

// median is the median of sorted values.
func median(values []float64) float64 {
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
