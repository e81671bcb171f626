// Package coordinator leads a sweep: it leases shards to nodes, commits what they deliver, and merges it into result sets.
//
// The Board is the scheduler, a pure state machine: Step(Event) []Action. Around it stands a term, everything that a leader
// has: one loop that owns the board, a committer that makes deliveries durable in groups, workers that merge parts, and the
// gRPC services Sweeps and Nodes. State lives in a Ledger (etcd, or memory), bytes in a Store. The invariants:
//
//   - A key of the ledger is a fact: a shard is committed if and only if a done key, or its part's key, says so.
//   - Bytes are durable before the key that refers to them, the key before anybody is told.
//   - Every transaction compares the leader's key: who is no longer leader changes nothing.
//   - Nothing is kept per point, and one bit per shard; deliveries in memory have a budget, and nodes wait for it.
//   - Every goroutine belongs to Run, which returns when all of them have ended.
package coordinator
