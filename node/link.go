package node

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc"
)

// Link is a connection to the coordinators that can be replaced: gRPC takes up to half a minute to
// notice that a peer was suspended or cut off, and keeps sending to it until then.
//
// It is safe for concurrent use.
type Link struct {
	dial func() (*grpc.ClientConn, error)

	mu     sync.Mutex
	conn   *grpc.ClientConn
	closed bool
}

var _ grpc.ClientConnInterface = (*Link)(nil)

func newLink(dial func() (*grpc.ClientConn, error), target string) (*Link, error) {
	conn, err := dial()
	if err != nil {
		return nil, fmt.Errorf("connect to coordinator %q: %w", target, err)
	}
	return &Link{dial: dial, conn: conn}, nil
}

// Renew replaces the connection; calls on the old one fail.
func (l *Link) Renew() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	conn, err := l.dial()
	if err != nil {
		return fmt.Errorf("reconnect to coordinator: %w", err)
	}
	err = l.conn.Close()
	l.conn = conn
	return err
}

// Close closes the link; calls on it fail.
func (l *Link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errors.New("close link to coordinator: already closed")
	}
	l.closed = true
	return l.conn.Close()
}

func (l *Link) current() *grpc.ClientConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn
}

// Invoke implements grpc.ClientConnInterface.
func (l *Link) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return l.current().Invoke(ctx, method, args, reply, opts...)
}

// NewStream implements grpc.ClientConnInterface.
func (l *Link) NewStream(
	ctx context.Context,
	desc *grpc.StreamDesc,
	method string,
	opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return l.current().NewStream(ctx, desc, method, opts...)
}
