// Package sweep turns a sweep file into points, and points into shards and parts.
//
// It is pure arithmetic: no I/O, no clock, no goroutine. The invariants:
//
//   - A point is an integer. The spec and a point's index determine its parameters, seed, shard and row.
//   - Equal canonical specs are equal sweeps: key order, comments, name and order of the file do not count.
//   - Nothing here lists points: a Spec of 10^9 points takes the memory of its axes.
//   - Shards and parts are cut from the spec alone, by constants that belong to a plan version.
package sweep
