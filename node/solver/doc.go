// Package solver integrates the learning dynamics of phase retrieval with anisotropic Gaussian
// inputs.
//
// The model is f(x) = ‖Wᵀx‖², y = ⟨x,θ⟩² + σ ξ, x ~ N(0,Q), with loss ¼E[(f-y)²], after Braun, Bao,
// Huang and Imaizumi, "Spectral Gradient Descent Mitigates Anisotropy-Driven Misalignment" (arXiv
// 2601.22652). The invariants:
//
//   - A Result is a pure function of its Problem and of Version; it does not depend on clock, host,
//     batch or
//
// lane.
//   - Divergence is a Status, never an error. NaN leaves the package only as the value of an
//     undefined metric, Inf never.
//   - The bits are specified: elementwise arithmetic is never fused, an element of a
//     matrix product is one fused chain over k in order, a sum is eight strided partial sums and a
//     fixed tree. Vector kernels may therefore replace every loop.
//   - Problems are solved in batches of one Shape; the batch's order does not matter.
package solver

// Version is raised only when output bits change.
const Version = 4
