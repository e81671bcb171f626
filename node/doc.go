// Package node is the life of a lease: it takes runs of shards from a coordinator, solves them and
// delivers their rows.
//
// A shard's life in a node, and who moves it:
//
//	queued -> running -> delivering -> gone      the coordinator acknowledged the delivery
//	   \         \            \
//	    `---------`------------`-> gone          revoked, or handed back when the node drains
//
// The invariants:
//
//   - One goroutine, Run's, owns the node's state; slots and deliveries report to it by events.
//   - A shard's payload is a pure function of its sweep and its number: slots, order and attempts
//     do not show in it.
//   - A point that panics the solver is a row with status failed; it never takes its shard or the
//     node along.
//   - Memory is bounded by the slots: a slot starts no shard while its finished ones wait to be
//     delivered, and points that are solved at once need no more than the node registered.
//   - Losing the coordinator costs no work: slots go on, finished shards are sent again after the
//     reconnect.
//   - Run returns only when every goroutine it started has ended.
package node
