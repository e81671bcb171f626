package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

const (
	frameMagic    = "PGS1"
	frameFixed    = 4 + 4 + 8
	frameTrailer  = 4
	maxFrameBytes = 512 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Frame is one committed shard in the spool.
type Frame struct {
	Header  []byte // DeliverHeader
	Payload []byte
}

// chunks returns the bytes of a frame, in order.
func (f Frame) chunks() [][]byte {
	fixed := make([]byte, frameFixed, frameFixed+len(f.Header))
	copy(fixed, frameMagic)
	binary.LittleEndian.PutUint32(fixed[4:], uint32(len(f.Header)))
	binary.LittleEndian.PutUint64(fixed[8:], uint64(len(f.Payload)))
	head := append(fixed, f.Header...)
	sum := crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, f.Payload)
	return [][]byte{head, f.Payload, binary.LittleEndian.AppendUint32(nil, sum)}
}

// Size is the size of the frame in the spool.
func (f Frame) Size() int64 { return int64(frameFixed + len(f.Header) + len(f.Payload) + frameTrailer) }

// parseFrame returns a frame whose checksum is right.
func parseFrame(b []byte) (Frame, error) {
	if len(b) < frameFixed+frameTrailer || string(b[:4]) != frameMagic {
		return Frame{}, errors.New("not a spool frame")
	}
	header, payload := uint64(binary.LittleEndian.Uint32(b[4:])), binary.LittleEndian.Uint64(b[8:])
	body := uint64(len(b) - frameFixed - frameTrailer)
	if header > body || payload != body-header {
		return Frame{}, errors.New("length does not match its header")
	}
	end := len(b) - frameTrailer
	if crc32.Checksum(b[:end], castagnoli) != binary.LittleEndian.Uint32(b[end:]) {
		return Frame{}, errors.New("checksum mismatch")
	}
	return Frame{Header: b[frameFixed : frameFixed+header], Payload: b[frameFixed+header : end]}, nil
}
