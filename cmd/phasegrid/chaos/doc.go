// Package chaos runs sweeps on a cluster of real processes while faults are injected, and checks
// that no promise is broken: 3 etcd members, 3 coordinators and 4 nodes on this machine, a network
// of relays between them, and a file system of its own for the store.
//
// A run has three phases. While faults last, readers read what is committed. Then all faults end,
// the cluster must finish every sweep, and shards that faults have put into quarantine are retried.
// At last the logs are audited and the result sets compared with those of `phasegrid run`.
//
// Invariants:
//   - A broken promise is a violation in the report; an error means that nothing was tested.
//   - One seed draws the same faults, targets and times. What the cluster does at those times
//     differs from run to run.
//   - Whatever a fault does is undone before its targets are disturbed again.
//   - Every process that is started ends before Run returns.
package chaos
