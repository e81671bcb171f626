// Package draw turns uniform numbers into the values of a sample: ranges, weights and normal
// distributions.
//
// A rule is a function of the uniform alone that does not fall where the uniform rises, so that the
// strata of Sobol points and Latin hypercubes become strata of the values. It is integer arithmetic
// or package elementary's: every architecture gives the same bits.
package draw
