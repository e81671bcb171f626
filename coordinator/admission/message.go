package admission

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

// transportStream is the part of gRPC's stream below a grpc.ServerStream that reads a message in
// pieces. A message is a flag, its length in four bytes, and its bytes.
type transportStream interface {
	ReadMessageHeader(header []byte) error
	Read(n int) (mem.BufferSlice, error)
	RecvCompress() string
}

// stream is the stream of an admitted call. One goroutine at a time receives from it.
type stream struct {
	grpc.ServerStream
	gate      *Gate
	transport transportStream
	cancel    context.CancelCauseFunc
	most      int  // bytes of a message
	passesOn  bool // messages: the handler accounts for what it keeps of them

	mu       sync.Mutex // a handler may return while its goroutine receives
	begun    bool       // the first message has arrived, or the call has ended
	ended    bool
	reserved int64 // bytes of gate.bodies
}

// RecvMsg receives a message of at most most bytes. The message of a call that has one keeps its
// memory reserved until the call ends.
func (s *stream) RecvMsg(m any) error {
	if s.passesOn {
		defer s.release()
	}
	s.mu.Lock()
	first := !s.begun
	s.mu.Unlock()
	data, err := s.receive(first)
	s.begin()
	if err != nil {
		return err
	}
	defer data.Free()
	if err := encoding.GetCodecV2(proto.Name).Unmarshal(data, m); err != nil {
		return status.Errorf(codes.Internal, "decode request: %v", err)
	}
	return nil
}

// receive reads one message. The first one has a deadline from its beginning, others from their
// first byte.
func (s *stream) receive(first bool) (mem.BufferSlice, error) {
	var header [5]byte
	opening := time.Duration(0)
	if first {
		opening = s.gate.opening
	}
	err := s.within(opening, func() error { return s.transport.ReadMessageHeader(header[:]) })
	if err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint32(header[1:]))
	if size > s.most {
		return nil, tooLarge(size, s.most)
	}
	data, err := s.body(size)
	if err == nil && header[0] != 0 {
		data, err = s.decompress(data)
	}
	return data, err
}

// body reads the bytes of a message piece by piece, each when there is memory for it.
func (s *stream) body(size int) (data mem.BufferSlice, err error) {
	ctx, cancel := context.WithTimeout(s.Context(), messageTimeout)
	defer cancel()
	for left := size; left > 0; {
		n := min(left, pieceBytes)
		if size > SmallMessage {
			if err := s.reserve(ctx, n); err != nil {
				data.Free()
				return nil, err
			}
		}
		end, _ := ctx.Deadline()
		var piece mem.BufferSlice
		err := s.within(max(1, min(pieceTimeout, time.Until(end))), func() (err error) {
			piece, err = s.transport.Read(n)
			return err
		})
		if errors.Is(err, io.EOF) {
			err = status.Error(codes.Internal, "receive request: it ended in the middle of a message")
		}
		if err != nil {
			data.Free()
			return nil, err
		}
		data = append(data, piece...)
		left -= n
	}
	return data, nil
}

// decompress returns the bytes of a compressed message, of which there may be most.
func (s *stream) decompress(data mem.BufferSlice) (mem.BufferSlice, error) {
	defer data.Free()
	c := encoding.GetCompressor(s.transport.RecvCompress())
	if c == nil {
		return nil, status.Errorf(codes.Unimplemented, "receive request: unknown compression %q",
			s.transport.RecvCompress())
	}
	r, err := c.Decompress(data.Reader())
	if err != nil {
		return nil, status.Errorf(codes.Internal, "decompress request: %v", err)
	}
	if s.most > SmallMessage {
		ctx, cancel := context.WithTimeout(s.Context(), messageTimeout)
		defer cancel()
		if err := s.reserve(ctx, s.most); err != nil {
			return nil, err
		}
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(s.most)+1))
	if err != nil {
		return nil, status.Errorf(codes.Internal, "decompress request: %v", err)
	}
	if len(plain) > s.most {
		return nil, tooLarge(len(plain), s.most)
	}
	return mem.BufferSlice{mem.SliceBuffer(plain)}, nil
}

// within runs a read, which ends when limit has passed; 0 is no limit.
func (s *stream) within(limit time.Duration, read func() error) error {
	if limit == 0 {
		return s.cause(read())
	}
	timer := time.AfterFunc(limit, func() {
		s.cancel(status.Errorf(codes.DeadlineExceeded, "receive request: no complete message within %v", limit))
	})
	defer timer.Stop()
	return s.cause(read())
}

// cause returns the error of a read: the cause, if the gate ended it.
func (s *stream) cause(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	if cause := context.Cause(s.Context()); cause != nil {
		if _, ok := status.FromError(cause); ok {
			return cause
		}
		return status.FromContextError(cause).Err()
	}
	return err
}

// reserve waits for memory of requests.
func (s *stream) reserve(ctx context.Context, n int) error {
	if err := s.gate.bodies.Acquire(ctx, int64(n)); err != nil {
		return status.Errorf(codes.ResourceExhausted,
			"receive request: %d MiB of other requests are being received; try again", bodyMemory>>20)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved += int64(n)
	if s.ended {
		s.releaseLocked()
		return status.Error(codes.Canceled, "receive request: the call has ended")
	}
	return nil
}

// release returns the memory of the message received last.
func (s *stream) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.releaseLocked()
}

func (s *stream) releaseLocked() {
	s.gate.bodies.Release(s.reserved)
	s.reserved = 0
}

// begin records that the first message is no longer awaited.
func (s *stream) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun {
		s.begun = true
		s.gate.receiving.Release(1)
	}
}

// close ends the stream of a call whose handler has returned.
func (s *stream) close() {
	s.cancel(nil)
	s.begin()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.releaseLocked()
}
