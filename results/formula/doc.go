// Package formula evaluates expressions over the columns of a row, such as 1 - signal_alignment.
//
// The language is expr-lang, as in sweep files, with sqrt, log, log10, exp and pow. The invariants:
//
//   - Null propagates: what has no value at a row, or none that is finite, is null there. Only ??
//     and comparisons with nil see null themselves.
//   - A condition that has no value does not hold.
//   - Names and types are checked before the first row is read.
package formula
