// Package owner keeps track of which cluster owns the spool of a store and the result sets in it.
//
// A ledger says which stores are its own, but a store that two ledgers use knows nothing of either:
// a second coordinator with an etcd of its own, a restored backup, or an emptied state directory
// beside a process that still runs. So a store has a log of owners: objects spool/owners/<number>,
// created if absent, one for each term of leadership. The ledger has the nonces of the entries that
// it wrote, and has each before the entry is created. Invariants:
//
//   - A ledger may lead only if it knows the newest entry of the log, or there is none. Any other
//     ledger is refused with ErrForeign, unless it is told the id of the cluster that the newest
//     entry names. It becomes a cluster with another id then, so each adoption works once.
//   - Of two ledgers that append at once, one wins: an entry's number is the next one.
//   - A restored ledger does not know the entries of the terms that followed its backup. Where it
//     was copied within a term, the two ledgers find each other's entries while they lead: the one
//     whose term began with the later entry ends it (see Claim.Check).
//   - Objects of the spool have the id of their cluster in their names, and only that cluster
//     deletes them.
//
// A result set may be that of several owners, who write the same bytes to it. Each leaves a mark in
// it, an object .owners/<id>. Where there is a mark of another owner, nothing is deleted or
// replaced.
package owner
