// Command phasegrid runs parameter sweeps over the learning dynamics of phase retrieval, on one
// machine or on a cluster.
//
// Each command has a file of its own: a struct of options, filled from flags and from PHASEGRID_*
// variables, and a function that does the work and returns an error. Main, the program as a value,
// builds them; tests run the same value in their own process.
//
// Invariants:
//   - exit.go alone maps errors to exit codes.
//   - Results go to standard output, progress and logs to standard error.
//   - Packages below this one read no flags and no environment variables of phasegrid.
package main
