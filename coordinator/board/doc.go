// Package board is the scheduler: which shard is leased to which node, which shards are committed,
// and what happens next. It is a pure state machine: Step(Event) []Action.
//
// Invariants:
//
//   - It imports the standard library only, does no I/O, reads no clock and starts no goroutine.
//     The same events give the same actions; time is an event, Tick.
//   - Each shard is in exactly one state: open, suspect, leased, committing, done or quarantined
//     (see Board.Check).
//   - An action that makes something durable comes before every action that tells anyone about
//     it.
//   - No state is kept per point, and two bits per shard.
//
// Events are facts and named in the past tense: what happened (ShardCommitted), what was asked for
// (PhaseRequested), or which action the caller gave up (CommitCancelled). Actions are effects that
// the caller executes and named as orders: CommitShard.
package board
