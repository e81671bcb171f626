// Package local runs one sweep on a cluster of its own: a coordinator in this process, and a node
// in this process or several node processes.
//
// Invariants:
//   - Nodes end before the coordinator does, so what they have finished is delivered. Run returns
//     when all of the cluster has ended.
//   - State is on disk: after any end, the same call resumes.
//   - The coordinator listens on a socket that only this user can open. Socket directories of
//     killed processes are removed by the next run.
//   - A node process ends when its parent does; one that dies is started again under another name,
//     so that a shard that kills three of them is quarantined.
//   - Run gives up when an alarm lasts: only the user can end it.
package local
