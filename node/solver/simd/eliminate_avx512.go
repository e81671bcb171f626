//go:build goexperiment.simd && amd64

package simd

// eliminate512 is the AVX-512 form of eliminate256, in assembly: half the instructions a row.
//
//go:noescape
func eliminate512(strip []float64, pivot, column int)
