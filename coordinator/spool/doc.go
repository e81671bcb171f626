// Package spool keeps the bytes of committed shards until their part is merged.
//
// On a store that can append, the spool is a log of segments with one sync for a group of shards;
// on any other store each group is an object. Objects are named
// spool/<cluster>/<epoch>-<n>, so that a new leader never writes to an object of an older one, and
// clusters that use one store keep apart. Earlier releases left out the cluster. Invariants:
//
//   - Append returns once the frames are durable.
//   - An object of the cluster is deleted once no frame in it is needed, or as an orphan of an
//     earlier epoch. Those of other clusters are not.
//   - A frame is read back only if its checksum is right.
//
// A frame is, all little endian:
//
//	magic "PGS1", uint32 header bytes, uint64 payload bytes, header, payload, uint32 CRC-32C of all before
package spool
