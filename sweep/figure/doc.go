// Package figure says what a figure of a result set shows: the entries of figures in a sweep file.
// It draws nothing.
//
// A Figure is data. Its keys are the rows of one table, Keys, from which sweep files and their JSON
// Schema are made. The invariants:
//
//   - Texts and their number are bounded, so that figures of a stranger's sweep cost little.
//   - A Figure that was encoded and read again is equal.
//   - Names of columns are checked by who knows them: the sweep file, or the result set.
package figure
