// Package store keeps objects by name: result sets and the spool. A store is a folder (file://) or
// a bucket of object storage (s3://).
//
// Invariants, for every store:
//
//   - An object is visible only once it is complete and durable.
//   - An object is never overwritten: of several writers of one name the first wins, the others get
//     fs.ErrExist. An S3 service without conditional uploads cannot keep this: there the last of
//     several writers wins (see bucket).
//   - DeleteVersion deletes only the version that was opened. What another process wrote under the
//     name since is kept, and the error is errChanged.
//
// A folder can also be appended to (Appender), and may hold files of processes that died (Cleaner).
package store
