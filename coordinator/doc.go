// Package coordinator runs sweeps: it leases shards to nodes, commits what they deliver, and merges
// it into result sets. It has the configuration, the campaign for leadership, one term of
// leadership, and the gRPC services Sweeps, Nodes and Flight.
//
// A term is everything that a leader has: one loop that owns the board (package board, the
// scheduler), a committer that makes deliveries durable in groups, workers that merge parts, and
// the sweeps and nodes that the services see. State is in a ledger (package ledger), bytes are in
// stores (packages store and spool). Invariants:
//
//   - A key of the ledger is a fact: a shard is committed if and only if a done key, or the key of
//     its part, says so.
//   - Bytes are durable before the key that refers to them, and the key before it is acknowledged.
//   - Every transaction compares the leader's key: a coordinator that is not the leader changes
//     nothing.
//   - Memory holds nothing per point, and of a shard its cut and two bits, 25 bytes. Deliveries and
//     readers have memory budgets, for which they wait.
//   - Every goroutine belongs to Run, which returns when all of them have ended; or, where its peer
//     may be silent, to the stream of a call, with which it ends.
//
// # Store identity
//
// Each store has a random id in its object .phasegrid-store, and the ledger has the ids of the
// cluster's stores; the first leader creates both. A coordinator whose store has another id, or
// none where the ledger has one, does not start; if it learns this later, it raises an alarm and
// does not lead. A cluster without sweeps and leader accepts any store. With an embedded etcd or a
// ledger in memory only the spool is checked: missing result sets are computed again on request.
//
// # Ownership
//
// The spool belongs to one cluster, which its store names (package owner). Each term appends an
// entry to the log spool/owners/ of the store, with a nonce that the ledger has before. A ledger
// that did not write the newest entry does not lead, and its coordinator does not start:
//
//	another ledger     a second coordinator with a state of its own, an emptied state
//	a restored ledger  it does not know the terms that followed its backup
//	a copied ledger    it leads until the coordinator of the original objects, at its next check;
//	                   until then it deletes no spool object that it has no key of
//
// The error names the owner and its address. A coordinator that is started with the owner's id as
// AdoptStore takes its place, under an id of its own: the same command does nothing the next time,
// and the former owner stops leading at its next check. Spool objects have the cluster's id in
// their names, and only that cluster deletes them; the spool of a former owner is left. A ledger of
// an earlier release, which recorded the id of the store, becomes its owner in its first term.
//
// # Crash table
//
// At each step the state on disk says what is left to do, and the next leader does it. TestCrash
// kills a process by SIGKILL at each of them and compares the result with an undisturbed run: the
// bytes are the same, and no acknowledged shard is computed again, except those of a part that lost
// a file and those of a sweep that was removed.
//
//	step              state on disk                             next leader
//	before-submit     files of an empty result set              knows no sweep; the client submits again
//	after-submit      the keys of the sweep                     leases its shards; submitting again finds the sweep
//	before-spool      nothing of the group                      has its shards computed again; none was acknowledged
//	after-spool       frames that no key refers to              as before-spool; deletes the orphaned spool object
//	before-compact    many done keys of a part                  compacts them
//	after-compact     one done key in place of them             nothing
//	before-commit     frames that no key refers to              as after-spool
//	after-commit      done keys; none was acknowledged          has them; the node delivers again and gets "duplicate"
//	before-merge      done keys of a whole part                 merges the part
//	before-publish    temporary files                           merges the part again; deletes the temporary files
//	between-files     some files of the part                    merges again, finds equal files, keeps them
//	after-publish     all files of the part, no key of it       as between-files
//	after-part        the key of the part, its done keys gone   deletes orphaned spool objects
//	after-free        the part, its spool objects deleted       nothing
//	before-manifest   every part                                writes the manifest
//	after-manifest    the manifest; the sweep is running        writes the same manifest again
//	after-done        the sweep is done                         nothing
//
// A file of a part that has another size than it was stored with is deleted before its sweep is
// reopened; a crash after that leaves a part without files, which the next submit finds. Any other
// file with contents that differ from those of a part stays, and the part is not stored until
// someone has moved it away; except that of the shards table, which differs each time. A file of a
// part that was stored without its quarantined shards, and a manifest, are replaced:
//
//	before-replace    the old file, to which the part's key refers  merges, or writes the manifest, again
//	between-replace   neither file                                  the same
//
// A frame of the spool that is gone, cut short or altered cannot be read again, so its shard is
// computed again. The merge that finds it takes the shard out of its done key, and the part is open
// again. If the spool as a whole is not there, an alarm is active and nothing is given up:
//
//	before-lost       done keys that refer to lost frames       finds them lost at its own merge
//	after-lost        done keys without them                    leases their shards
//
// What a client asks for is saved before it is answered. A transaction is all or nothing; where
// there are several, each leaves a state from which the next leader continues (see writesOf):
//
//	before-save       nothing of it                             knows nothing of it; the client asks again
//	after-save        the phase (pause, resume, cancel)         continues in that phase
//	                  lease failures gone, running (retry)      leases the shards that were in quarantine
//	                  keys of parts gone (reopen)               has the parts computed again
//	                  the key "removing" (rm)                   deletes the files, then the keys; the key may be
//	                                                            written while merges of the sweep are still ending
//	between-deletions "removing", some of the files             the same
//	before-drop       "removing", none of the files             deletes the keys
//	after-drop        nothing but frames in the spool           deletes orphaned spool objects
//
// A node that dies at any moment has delivered a shard or not: its leases end with it, and a shard
// without a done key is leased again.
//
// # Damage
//
// What can be derived again is derived again where it is gone, empty, cut short or altered:
//
//	object                        found                               then
//	spool frame                   when its part is merged or read     its shard is computed again (see above)
//	file in the place of a part   when the part is published: it is   an alarm, until it is moved away
//	                              read back (footer, schema, rows)
//	file of a stored part         by its size, before the manifest    it is deleted, and the part is computed
//	                              is written and at the next submit   again
//	  of the same size            by verify                           the same, once it was removed
//	schema.parquet, sweep.yaml,   before the manifest is written      it is written again
//	views.sql                     and at the next submit
//	manifest.json                 at the next submit                  it is written again
//	cuts in the key of a sweep    by their checksum, by a new leader  the sweep is planned again
//	entry in the log of owners    by a new leader                     the newest entry that can be read counts;
//	                                                                  without any, the ledger that has the
//	                                                                  id of the store is the owner
//	mark of an owner              at the next submit or manifest      it is set again
//
// In a set that is also that of another owner, nothing is deleted or replaced: there a damaged file
// is an alarm. Keys of the ledger and the id of a store cannot be derived: an unreadable key keeps
// every coordinator from leading, and for a store without its id the error says what to write.
//
// # Stale leaders
//
// A process may be suspended at any instruction and continue when another one has led for long. The
// ledger rejects its writes then, but the store cannot tell leaders apart, and nodes see streams
// only. So a process that was suspended grants nothing before the ledger has confirmed its
// leadership: its successor may have acknowledged what it would grant. A file is never overwritten,
// and is deleted only in the version that was opened before the ledger confirmed the leadership
// once more: a file of a later leader is another version. Spool objects have the epoch in their
// names, and only those of the cluster that no key refers to are deleted.
//
//   - file://: a version is inode, size and modification time. It is compared before a file gets a
//     private name and again after that; a file of another version gets its name back. In between
//     the name is missing, and if the process dies then, until the next leader cleans up.
//   - s3://: a version is entity tag and modification time. Both are compared before the deletion,
//     and the service compares the tag with the deletion (If-Match), so that other bytes are never
//     deleted. Equal bytes that were written again are distinguished by their time only, before the
//     deletion; with a service that ignores the condition, so is everything.
//
// A stale leader can add files that are not there: a file of a part, which a later leader finds and
// keeps, or, if it lacks shards that have been retried since, asks to have moved away; a manifest
// of an earlier state, which a later leader replaces when the sweep is done again; or files in
// place of a removed result set, which no sweep owns.
package coordinator
