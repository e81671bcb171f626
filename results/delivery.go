package results

import (
	"errors"
	"hash/crc32"
	"iter"
	"slices"
)

const (
	// MaxPayloadBytes bounds a delivery: sixteen times the size that shards are cut for.
	MaxPayloadBytes = 256 << 20

	maxText   = 1 << 20   // bytes of a text cell, such as a list of eigenvalues
	maxDetail = 4 << 10   // bytes of a point's detail
	chunkSize = 128 << 10 // bytes of a chunk: even a slow line sends one before the coordinator gives up
)

// errTooLarge is returned by a Builder whose shard has grown beyond MaxPayloadBytes.
var errTooLarge = errors.New("the rows of the shard exceed the largest payload; record fewer steps")

// Segment is one table's Arrow IPC stream inside a payload.
type Segment struct {
	Table       Table
	Bytes, Rows int64
}

// Delivery is the rows of one shard as a node sends them: one uncompressed Arrow IPC stream for each
// table of the set, in the tables' order, concatenated. CRC32C (Castagnoli) covers the whole payload:
// IPC has no checksum of its own.
type Delivery struct {
	Segments []Segment
	Payload  []byte
	CRC32C   uint32
}

// Chunks yields the payload in pieces of the size in which it is sent.
func (d Delivery) Chunks() iter.Seq[[]byte] { return slices.Chunk(d.Payload, chunkSize) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checksum returns the CRC-32C of a payload.
func Checksum(payload []byte) uint32 { return crc32.Checksum(payload, castagnoli) }
