package node

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc"
)

// Link is a connection to the coordinators that can be made anew: gRPC takes up to half a minute to
// notice a peer that is stopped or cut off without a word, and until then goes on sending to it.
//
// Safe for concurrent use.
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
		return nil, fmt.Errorf("coordinator address %q: %w", target, err)
	}
	return &Link{dial: dial, conn: conn}, nil
}

// Renew drops the connection, whose calls fail, and makes another.
func (l *Link) Renew() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	conn, err := l.dial()
	if err != nil {
		return fmt.Errorf("connect to the coordinators anew: %w", err)
	}
	err = l.conn.Close()
	l.conn = conn
	return err
}

// Close ends the link and every call on it.
func (l *Link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errors.New("the link to the coordinators is closed already")
	}
	l.closed = true
	return l.conn.Close()
}

func (l *Link) current() *grpc.ClientConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn
}

// Invoke makes a call on the present connection.
func (l *Link) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return l.current().Invoke(ctx, method, args, reply, opts...)
}

// NewStream opens a stream on the present connection.
func (l *Link) NewStream(
	ctx context.Context,
	desc *grpc.StreamDesc,
	method string,
	opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return l.current().NewStream(ctx, desc, method, opts...)
}
