// Package sweep turns a sweep file into points, and points into shards and parts.
//
// It is pure arithmetic: no I/O, no clock, no goroutine. The invariants:
//
//   - A point is an integer. The spec and a point's index determine its parameters, seed, shard and
//     row.
//   - Equal canonical specs are equal sweeps: key order, comments and name of the file do not
//     count.
//   - Nothing here lists points: the memory of a Spec is that of its axes, for 10^9 points too.
//   - Axes are enumerated, and shards and parts cut, by rules that belong to a plan version. It
//     stands in the canonical spec, so that a spec is never read by the rules of another version.
//   - Parse never panics and never takes more than 256 MB.
//
// # The sweep file
//
// A block holds fixed (one value each), grid (every combination of axes), zip (axes that advance
// together), points (a list of rows), sample (num points by sobol, random or lhs over ranges,
// lattices, normal distributions and weighted choices), derive (expressions), where (a condition),
// and union (a list of blocks, enumerated one after another). The file is a block with a name,
// replicates and a record.
//
// Each grid axis, the zip, the points and the sample are factors; a block is their product,
// row-major, a factor at the place of its first parameter in the table, replicates innermost.
// Settings beside union apply to each of its blocks. A parameter is set once: by one factor or
// derive. Only fixed can be overridden: by the parameters that an entry of an axis carries ({name:
// muon, momentum: 0.9}), by points, and by anything in the blocks of a union.
//
// Variables are names of the file's own, rows of the sweep's table after the parameters. They are
// set and read as parameters are, but the solver does not know them: they are columns, and part of
// the sweep id, not of what a point is.
//
// A point is made in this order: fixed and factors, the replicate's seed, derive in the order of
// references, where, then defaults and auto, and the rules between parameters. Expressions read
// defaults and the value of auto; a derived nil leaves the parameter at its default.
package sweep
