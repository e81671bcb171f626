// Package node solves shards: it takes leases from a coordinator, solves their points and delivers
// the rows.
//
// The states of a shard that a node holds:
//
//	queued -> running -> delivering -> gone      the coordinator acknowledged the delivery
//	   \         \            \
//	    `---------`------------`-> gone          revoked, or handed back when the node drains
//
// The invariants:
//
//   - One goroutine, that of Run, owns the node's state; slots, deliveries and the session report
//     to it by events.
//   - A shard's payload depends only on its sweep and its number, not on slots, order or attempts.
//   - A point on which the solver panics is a row with status failed; the rest of its shard and the
//     node are not affected.
//   - Memory is bounded: a slot starts no shard while too many of its solved shards wait to be
//     delivered, and points solved at once need no more memory than the node registered.
//   - Losing the coordinator loses no work: slots continue, and solved shards are sent again after
//     the node has attached again.
//   - Run returns only after every goroutine that it started has ended.
//
// Files: session.go, wire.go and client.go speak the protocol; connection.go, held.go and drain.go
// are the parts of Run; slot.go, shard.go and batches.go solve.
package node
