// Command phasegrid runs parameter sweeps over the learning dynamics of phase retrieval, on one
// machine or on a cluster.
//
// Each command has a file of its own: a struct of options, filled from flags and from PHASEGRID_*
// variables, and a function that does the work and returns an error. exit.go alone maps errors to
// exit codes. Results go to standard output, progress and logs to standard error.
package main
