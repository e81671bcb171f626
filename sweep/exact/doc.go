// Package exact computes the entries of axes: linspace, range and logspace between decimals, each
// entry rounded to float64 once. Then entries are the numbers that a reader of the file expects:
// conditions, SQL and the reuse of earlier rows find them.
//
// It is integer arithmetic with a bound on its error, and exact or longer where the bound leaves
// two float64 to choose from. No entry depends on the bits of a math function, so every
// architecture gives the same ones.
package exact
