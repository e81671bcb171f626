// Package views has the SQL views of a result set: phase_diagram, the rankings best_learning_rate
// and crossover, escape, failures and columns.
//
// SQL fills a template with the columns of one set. Which parameters part cells, which are tuned
// over and which compared optimizers must share is decided here, by what the schema says of each.
// The invariants:
//
//   - One convention holds in every view: replicates are distinct points that are not invalid, and
//     runs that have not got there, have diverged or have failed are later than all others.
//   - Parameters that a sweep derives part no cells.
//   - Names of views and columns are kept; a variable of a sweep cannot have the name of one.
package views
