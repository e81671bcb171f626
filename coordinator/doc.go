// Package coordinator leads a sweep: it leases shards to nodes, commits what they deliver, and
// merges it into result sets.
//
// The Board is the scheduler, a pure state machine: Step(Event) []Action. Around it stands a term,
// everything that a leader has: one loop that owns the board, a committer that makes deliveries
// durable in groups, workers that merge parts, and the gRPC services Sweeps and Nodes. State lives
// in a Ledger (etcd, or memory), bytes in a Store. The invariants:
//
//   - A key of the ledger is a fact: a shard is committed if and only if a done key, or its part's
//     key, says so.
//   - Bytes are durable before the key that refers to them, the key before anybody is told.
//   - Every transaction compares the leader's key: who is no longer leader changes nothing.
//   - Nothing is kept per point, and of a shard its cut and two bits, 25 bytes; deliveries in
//     memory have a budget, and nodes wait for it, and so do readers for theirs.
//   - Every goroutine belongs to Run, which returns when all of them have ended, or, where its peer
//     has gone silent, to a call's stream and ends with that.
//
// # Whose store it is
//
// Each store has a random id in its object .phasegrid-store, and the ledger names the ids of the
// cluster's stores: the first leader makes both. A coordinator that finds another id, or none,
// where the ledger has one does not start, or, where it sees that only later, raises an alarm and
// does not lead; a cluster without sweeps and leader may begin anew with any store. With an etcd of
// its own, or memory, only the spool is checked: result sets that are missing are computed again
// when people ask.
//
// # Where a process can die
//
// At each step the state on disk says what is left to do; whoever leads next does it. TestCrash
// dies at each of them by SIGKILL and compares the result with an undisturbed run: the same bytes,
// and no acknowledged shard computed again, but those of a part that has lost a file and of a sweep
// that was removed.
//
//	step              on disk                                   the next leader
//	before-submit     files of an empty result set              knows of no sweep; the client submits again
//	after-submit      the sweep's keys                          leases its shards; submitting again is the same sweep
//	before-spool      nothing of the group's deliveries         has their shards computed again: nobody was told otherwise
//	after-spool       frames that no key refers to              the same; the spool object is removed as an orphan
//	before-fold       many done keys of a part                  folds them
//	after-fold        one done key in place of them             nothing
//	before-commit     frames that no key refers to              as after-spool
//	after-commit      done keys; nobody was told                has them; the node delivers again and hears "duplicate"
//	before-merge      done keys of a whole part                 merges the part
//	before-publish    temporary files                           merges the part again; removes the temporary files
//	between-files     some of the part's files                  merges again, finds equal bytes there, keeps them
//	after-publish     all of the part's files, no key of it     the same
//	after-part        the part's key, its done keys gone        removes the spool's orphans
//	after-free        the part, its spool freed                 nothing
//	before-manifest   every part                                writes the manifest
//	after-manifest    the manifest, the sweep is running        writes the same manifest again
//	after-done        the sweep is done                         nothing
//
// A file of a part that has another size than it was stored with is deleted before its sweep is
// opened again; who dies after that leaves a part without files, which the next submit finds. Any
// other file with other bytes than a part's stays where it is, and the part is not stored until
// somebody has moved it, except the log of shards, which is another one each time. A file of a part
// that was stored without its quarantined shards, or a manifest, gives way to a new one:
//
//	before-replace    the old file, which the part's key names  merges, or finishes, again
//	between-replace   neither                                   the same
//
// What people ask for is saved before it is told. One transaction is all or nothing; where there
// are several, each of them leaves a state to go on from (see writesOf):
//
//	before-save       nothing of it                             knows nothing of it; the client asks again
//	after-save        phase (pause, resume, cancel)             goes on in that phase
//	                  losses gone, running (retry)              leases the shards that were in quarantine
//	                  parts' keys gone (reopen)                 has the parts computed again
//	                  the key "removing" (rm)                   deletes the files, and then the keys; the key may come long
//	                                                            before, while deliveries or merges of the sweep end
//	between-deletions "removing", some of the files             the same
//	before-drop       "removing", none of the files             deletes the keys
//	after-drop        nothing but frames in the spool           removes the spool's orphans
//
// A node that dies anywhere has delivered or has not: its leases end with it, and a shard without a
// done key is leased again.
//
// # What a leader that is none any more can still do
//
// A process may be stopped at any instruction and go on when another one has led for long. The
// ledger refuses what it writes then; the store does not know of leaders, and nodes only of
// streams. So who stood still grants nothing before the ledger has confirmed that it still leads:
// its successor may have acknowledged what it would grant. And a file is never overwritten, and one
// is deleted only in the version that was opened before the ledger confirmed once more that this
// process leads: a later leader's file is another version. Files of the spool carry the epoch in
// their names, and only what no key refers to is deleted from it.
//
//   - file://: a version is inode, size and time of writing. It is compared before a file gets a
//     private name and again after; a wrong one gets its name back. It is away for an instant, and
//     if the process dies in that, until the next leader tidies up.
//   - s3://: a version is entity tag and time of writing. Both are compared before the deletion,
//     and the tag by the service with it (If-Match), so that other bytes never go. Equal bytes,
//     written again, are told apart by their time alone, before the deletion; and so is everything
//     by a service that does not know the condition.
//
// It can add files that are not there: a part's file, which a later leader finds and keeps, or,
// where it was to be stored without shards that have been retried since, has somebody move away; a
// manifest of an earlier state, which a later leader replaces when the sweep is done again; or
// files in the place of a removed result set, which no sweep owns.
package coordinator
