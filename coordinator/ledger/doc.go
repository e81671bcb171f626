// Package ledger keeps the durable state of the cluster: every key and its value, in etcd, in an
// etcd embedded in this process, or in memory.
//
// Invariants:
//
//   - A key is a fact, and only the leader writes any of them.
//   - Every transaction compares the leader's key (the guard): a coordinator that has lost its
//     leadership changes nothing and gets ErrFenced.
//   - A transaction is all or nothing. After any error but ErrFenced it may have happened; making
//     it again is harmless.
//   - The epoch rises with every leadership.
//
// One conformance suite holds every backend to this (TestLedger).
package ledger
