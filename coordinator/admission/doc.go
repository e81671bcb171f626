// Package admission decides what a coordinator takes in before it knows who sent it: connections,
// roles, and the sizes of requests.
//
// Invariants:
//
//   - A connection is admitted only while the process has descriptors to spare, so that files of
//     the store and of etcd can always be opened. Where connections are short, the one that has
//     said nothing for the longest is closed in favour of the new one: a client that makes a call
//     at once is never turned away by silent ones.
//   - A call is authorized by its headers. Not a byte of its message is read before that.
//   - The size of a message is checked before it is read, and memory is reserved for what has
//     arrived, never for what was announced.
//   - Whatever is awaited from a peer has a deadline.
//
// The numbers are the rows of Limits.
package admission
