// Package simd holds the solver's arithmetic: matrix products, sums and the steps of many points side by side, each in three
// kernels, AVX-512, AVX2 and scalar. The invariants:
//
//   - All kernels give the same bits: elementwise operations never fuse; an element of a matrix product is one fused chain over k
//     in rising order; a sum is eight strided partial sums p_j over indices ≡ j mod 8 and the tree
//     ((p0+p1)+(p2+p3))+((p4+p5)+(p6+p7)). Neither lanes, tiles, batches nor the CPU show in a result.
//   - The kernel is a value that travels with the computation; nothing here is global.
//   - Vector kernels exist when built with GOEXPERIMENT=simd on amd64; elsewhere, only the scalar ones.
//   - One form of a kernel is written by hand, the widest that archsimd expresses well; the narrower ones are generated from it. What
//     the products stand on with AVX-512 (tile, elimination, transposition) is in assembly, beside the Go form that it follows; so are
//     steps of gd and specgd with three groups in which nothing is to be seen, which may fuse only where they decide whether that is so.
//
// The promise is for one arithmetic class, amd64 CPUs with FMA under GOAMD64=v1.
package simd

//go:generate go run generate.go
