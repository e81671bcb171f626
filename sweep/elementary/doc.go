// Package elementary computes exp, log, pow, sine and cosine with the same bits on every
// architecture. The standard library's differ between architectures: some are assembly, and the
// compiler fuses products and sums where the processor can.
//
// Numbers between roundings are unevaluated sums of two float64, so that results are within 0.51
// ulp of the true ones, powers that are float64 numbers are exact, and functions that rise do not
// fall. Each product is rounded by itself or is a math.FMA, which is exact by definition.
package elementary
