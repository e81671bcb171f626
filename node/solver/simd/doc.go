// Package simd holds the solver's arithmetic: matrix products, sums and the steps of many points
// side by side, each in three kernels, AVX-512, AVX2 and scalar. The invariants:
//
//   - All kernels give the same bits: elementwise operations never fuse; an element of a matrix
//     product is one fused chain over k in rising order; a sum is eight strided partial sums p_j
//     over indices ≡ j mod 8 and the tree ((p0+p1)+(p2+p3))+((p4+p5)+(p6+p7)). A result depends
//     neither on lanes, tiles and batches nor on the CPU. So the eight lanes of a vector can hold
//     eight points, or eight eigenspaces of one point where there are few points and many of
//     these.
//   - The kernel is an argument of each computation; there is no global state.
//   - Vector kernels exist when built with GOEXPERIMENT=simd on amd64; elsewhere, only the scalar
//     ones.
//   - One form of a kernel is written by hand, the widest that archsimd expresses well; the
//     narrower ones are generated from it. The inner loops of products with AVX-512 (tile,
//     elimination, transposition) are in assembly, beside the Go form that they follow. So are the
//     steps of gd and specgd with three groups that need no observation; these fuse operations only
//     in the test whether an observation is needed.
//
// This holds for one arithmetic class: amd64 CPUs with FMA under GOAMD64=v1.
package simd

//go:generate go run generate.go
