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
//
// # Where a process can die
//
// At each step the state on disk says what is left to do; whoever leads next does it. TestCrash dies at each of them by
// SIGKILL and compares the result with an undisturbed run: the same bytes, and no acknowledged shard computed again.
//
//	step             on disk                                   the next leader
//	before-submit    files of an empty result set              knows of no sweep; the client submits again
//	after-submit     the sweep's keys                          leases its shards; submitting again is the same sweep
//	before-spool     nothing of the group's deliveries         has their shards computed again: nobody was told otherwise
//	after-spool      frames that no key refers to              the same; the spool object is removed as an orphan
//	before-commit    the same                                  the same
//	after-commit     done keys; nobody was told                has them; the node delivers again and hears "duplicate"
//	before-merge     done keys of a whole part                 merges the part
//	before-publish   temporary files                           merges the part again; removes the temporary files
//	between-files    some of the part's files                  merges again, finds equal bytes there, keeps them
//	after-publish    all of the part's files, no key of it     the same
//	after-part       the part's key, its done keys gone        removes the spool's orphans
//	after-free       the part, its spool freed                 nothing
//	before-manifest  every part                                writes the manifest
//	after-manifest   the manifest, the sweep is running        writes the same manifest again
//	after-done       the sweep is done                         nothing
//
// A node that dies anywhere has delivered or has not: its leases end with it, and a shard without a done key is leased again.
package coordinator
