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

	maxText   = 1 << 20 // bytes of a text cell, such as a list of eigenvalues
	maxDetail = 4 << 10 // bytes of a point's detail
	// chunkBytes is small, so that even a slow line delivers a chunk before the coordinator gives
	// up waiting for it.
	chunkBytes = 128 << 10
)

// errTooLarge is returned by a Builder whose shard has grown beyond MaxPayloadBytes.
var errTooLarge = errors.New("the rows of the shard exceed the largest payload; record fewer steps")

// Segment is one table's Arrow IPC stream inside a payload.
type Segment struct {
	Table       Table
	Bytes, Rows int64
}

// Delivery is the rows of one shard as a node sends them: one uncompressed Arrow IPC stream for
// each table of the set, in the tables' order, concatenated. CRC32C (Castagnoli) covers the whole
// payload: IPC has no checksum of its own.
type Delivery struct {
	Segments []Segment
	Payload  []byte
	CRC32C   uint32
}

// Chunks yields a payload in the pieces in which it is sent.
func Chunks(payload []byte) iter.Seq[[]byte] { return slices.Chunk(payload, chunkBytes) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum returns the CRC-32C of a payload.
func checksum(payload []byte) uint32 { return crc32.Checksum(payload, castagnoli) }
