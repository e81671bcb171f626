package admission

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
)

// Gate admits the calls of one gRPC server.
type Gate struct {
	authorize bool
	sizes     map[string]int
	opening   time.Duration
	bodies    *semaphore.Weighted // bytes of messages above SmallMessage
	receiving *semaphore.Weighted // calls whose first message has not arrived
}

// NewGate returns a gate. With authorize it checks the role in the certificate of each caller. The
// first message of a call must begin within opening. Sizes are the largest messages of methods,
// given as "/package.Service/Method"; those of others are SmallMessage.
func NewGate(authorize bool, opening time.Duration, sizes map[string]int) *Gate {
	return &Gate{
		authorize: authorize,
		sizes:     sizes,
		opening:   opening,
		bodies:    semaphore.NewWeighted(bodyMemory),
		receiving: semaphore.NewWeighted(maxReceiving),
	}
}

// Options returns the options of the server, for which the gate must have the first interceptor.
// Its services must be registered through Registrar.
func (g *Gate) Options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ConnectionTimeout(HandshakeTimeout),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connectionWindow),
		grpc.ReadBufferSize(readBuffer),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.InTapHandle(withCancel),
		grpc.ChainStreamInterceptor(g.admit),
	}
}

const (
	readBuffer     = 8 << 10
	maxHeaderBytes = 16 << 10
)

// cancelKey is the context key of the function that ends what waits for the peer of a stream.
type cancelKey struct{}

// withCancel makes the context of a stream one that the gate can cancel: gRPC offers no other way
// to end a read. The status of the call can still be sent.
func withCancel(ctx context.Context, _ *tap.Info) (context.Context, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	return context.WithValue(ctx, cancelKey{}, cancel), nil
}

// admit checks the role of a caller when the headers have arrived, and bounds what is received
// after them.
func (g *Gate) admit(server any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	ctx := s.Context()
	if g.authorize {
		if err := authorize(ctx, info.FullMethod); err != nil {
			return err
		}
	}
	prove(ctx)
	if !g.receiving.TryAcquire(1) {
		return status.Errorf(codes.Unavailable, "receive request: %d calls wait for theirs; try again", maxReceiving)
	}
	most, listed := g.sizes[info.FullMethod]
	if !listed {
		most = SmallMessage
	}
	transport, ok := grpc.ServerTransportStreamFromContext(ctx).(transportStream)
	cancel, canCancel := ctx.Value(cancelKey{}).(context.CancelCauseFunc)
	if !ok || !canCancel {
		g.receiving.Release(1)
		return status.Errorf(
			codes.Internal,
			"receive request: no reader for %s in this version of gRPC",
			info.FullMethod,
		)
	}
	in := &stream{
		ServerStream: s, gate: g, transport: transport, cancel: cancel, most: most, passesOn: info.IsClientStream,
	}
	defer in.close()
	return next(server, in)
}

// Registrar registers services on a server, with unary methods as streams of one message: gRPC
// reads the message of a unary call before any interceptor sees the call. On the wire they are the
// same.
type Registrar struct {
	Server  *grpc.Server
	Timeout func(method string) time.Duration // of a unary call
}

// RegisterService implements grpc.ServiceRegistrar.
func (r Registrar) RegisterService(service *grpc.ServiceDesc, server any) {
	streams := *service
	streams.Methods = nil
	streams.Streams = append([]grpc.StreamDesc(nil), service.Streams...)
	for _, m := range service.Methods {
		timeout := r.Timeout("/" + service.ServiceName + "/" + m.MethodName)
		streams.Streams = append(streams.Streams, grpc.StreamDesc{
			StreamName:    m.MethodName,
			ServerStreams: true, // else gRPC takes it for a unary call and runs no stream interceptor
			Handler: func(server any, s grpc.ServerStream) error {
				ctx, cancel := context.WithTimeout(s.Context(), timeout)
				defer cancel()
				reply, err := m.Handler(server, ctx, s.RecvMsg, nil)
				if err != nil {
					return err
				}
				return s.SendMsg(reply)
			},
		})
	}
	r.Server.RegisterService(&streams, server)
}

// GetServiceInfo returns the services of the server, for reflection.
func (r Registrar) GetServiceInfo() map[string]grpc.ServiceInfo { return r.Server.GetServiceInfo() }

// tooLarge is the answer to a message above its limit.
func tooLarge(size, most int) error {
	return status.Error(codes.ResourceExhausted,
		fmt.Sprintf("receive request: got a message of %d bytes, want at most %d", size, most))
}
