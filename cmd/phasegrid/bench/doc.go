// Package bench measures this machine: the solver, a coordinator with nodes that solve nothing, and
// the merge of shards into Parquet.
//
// Invariants:
//   - A ratio compares two measurements that were taken in turns within one run, so that it means
//     something on a busy machine too. It is above 1 where this program is better.
//   - The solver is measured by processor time, and the fastest of several rounds counts; the rest
//     is measured by the wall clock.
//   - A figure with a target carries it, and whether it is met.
//   - Everything that a measurement leaves on disk or in a bucket is removed.
package bench
