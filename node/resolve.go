package node

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/status"
)

// lookup remembers why a connection's name was not resolved. gRPC's balancer keeps that to itself,
// and fails calls with unresolved instead. It is safe for concurrent use.
type lookup struct {
	mu  sync.Mutex
	err error // of the last attempt; nil if it succeeded
}

// unresolved is in gRPC's error for a call without any address to send it to.
const unresolved = "no children to pick from"

// explainLookups returns the options of a connection whose calls fail with the resolver's error.
func explainLookups() []grpc.DialOption {
	names := &lookup{}
	return []grpc.DialOption{
		grpc.WithResolvers(watchedBuilder{resolver.Get("dns"), names}),
		grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, request, reply any,
			conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
		) error {
			return names.explain(invoke(ctx, method, request, reply, conn, opts...))
		}),
		grpc.WithChainStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn,
			method string, open grpc.Streamer, opts ...grpc.CallOption,
		) (grpc.ClientStream, error) {
			stream, err := open(ctx, desc, conn, method, opts...)
			return stream, names.explain(err)
		}),
	}
}

// explain returns the resolver's error for a call that failed because of it.
func (l *lookup) explain(err error) error {
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), unresolved) {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		return err
	}
	return status.Error(codes.Unavailable, l.err.Error())
}

func (l *lookup) set(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

// watchedBuilder is a resolver.Builder whose resolvers report to a lookup too.
type watchedBuilder struct {
	resolver.Builder
	lookup *lookup
}

func (b watchedBuilder) Build(
	target resolver.Target,
	conn resolver.ClientConn,
	opts resolver.BuildOptions,
) (resolver.Resolver, error) {
	return b.Builder.Build(target, watchedConn{conn, b.lookup, target.Endpoint()}, opts)
}

// watchedConn is the resolver.ClientConn of a watchedBuilder.
type watchedConn struct {
	resolver.ClientConn
	lookup *lookup
	name   string
}

func (c watchedConn) ReportError(err error) {
	c.lookup.set(err)
	c.ClientConn.ReportError(err)
}

func (c watchedConn) UpdateState(state resolver.State) error {
	var err error
	if len(state.Addresses)+len(state.Endpoints) == 0 { // gRPC's answer for a name that does not exist
		host, _, splitErr := net.SplitHostPort(c.name)
		if splitErr != nil {
			host = c.name
		}
		err = fmt.Errorf("lookup %s: no such host", host)
	}
	c.lookup.set(err)
	return c.ClientConn.UpdateState(state)
}
