//go:build openblas

// Package openblas binds the matrix product of the C library OpenBLAS, for benchmarks alone: build
// with -tags openblas where its header and library are installed (Debian: libopenblas-dev).
package openblas

/*
#cgo LDFLAGS: -lopenblas
#include <cblas.h>
void openblas_set_num_threads(int);
*/
import "C"

import "gonum.org/v1/gonum/blas/blas64"

// OneThread keeps OpenBLAS on the calling thread.
func OneThread() { C.openblas_set_num_threads(1) }

// Gemm stores C = A B.
func Gemm(a, b, c blas64.General) {
	C.cblas_dgemm(C.CblasRowMajor, C.CblasNoTrans, C.CblasNoTrans,
		C.blasint(c.Rows), C.blasint(c.Cols), C.blasint(a.Cols),
		1, (*C.double)(&a.Data[0]), C.blasint(a.Stride), (*C.double)(&b.Data[0]), C.blasint(b.Stride),
		0, (*C.double)(&c.Data[0]), C.blasint(c.Stride))
}
