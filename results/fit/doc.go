// Package fit fits straight lines to the rows of result sets, on linear or logarithmic scales: the
// exponents of power laws and the rates of exponentials.
//
// Of reads a Set and returns a Fit with one Group for each combination of the parameters that vary.
// The invariants:
//
//   - A point of a fit is the median of replicates, with the conventions of package replicate, or
//     one row where Options.Rows asks for that.
//   - What is not fitted is counted: null, censored, not positive on a logarithmic scale, outside
//     the window.
//   - Numbers that the points do not determine are NaN, never zero.
//
// LeastSquares and theilSen are the estimators, with what their intervals assume.
package fit
