// Package reuse takes rows from earlier result sets instead of solving their points again.
//
// A row depends only on its point id, which hashes all resolved parameters and the solver.
// A sweep file that was edited names another sweep, but most of its points often have rows already.
//
// Invariants:
//   - Rows come only from sets that are finished, verify, and have the solver, the
//     arithmetic class and the recorded steps of the new sweep; only from rows that are ok or
//     diverged. Hence reused rows have the bits that solving would give.
//   - A Memo is a folder with two files: rows, one record after the other, and ids, sorted, with
//     the offset of each record. Its memory use does not depend on the number of rows.
//   - A finished set is never changed; files of it that are damaged are removed, and computed
//     again.
package reuse
