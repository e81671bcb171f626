package coordinator

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator/admission"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/sweep"
)

const (
	stopTimeout     = 2 * time.Second
	maxChunkMessage = 1 << 20 // of a delivery; nodes send smaller ones
)

// messageSizes are the largest messages of the methods that need more than
// admission.SmallMessage.
func messageSizes() map[string]int {
	const file = sweep.MaxFileBytes + 64<<10
	return map[string]int{
		pb.Sweeps_Submit_FullMethodName: file,
		pb.Sweeps_Plan_FullMethodName:   file,
		pb.Nodes_Attach_FullMethodName:  maxHeldRanges * 128, // the shards that a node holds
		pb.Nodes_Deliver_FullMethodName: maxChunkMessage,
	}
}

// listen opens the listeners, which limit their connections. Plain text is restricted to loopback
// and unix sockets unless the configuration allows more.
func (c *Coordinator) listen() (listener, status net.Listener, err error) {
	listener = c.cfg.Listener
	if listener == nil {
		if listener, err = net.Listen("tcp", c.cfg.Address); err != nil {
			return nil, nil, fmt.Errorf("listen: %w; choose another --listen", err)
		}
	}
	if c.cfg.Credentials == nil && !c.cfg.Insecure && !private(listener.Addr()) {
		listener.Close()
		return nil, nil, fmt.Errorf(
			"listen on %s: plain text is restricted to loopback; set --tls-cert, --tls-key and --tls-ca, or --insecure",
			listener.Addr(),
		)
	}
	status = c.cfg.StatusListener
	if status == nil && c.cfg.StatusAddress != "" {
		if status, err = net.Listen("tcp", c.cfg.StatusAddress); err != nil {
			listener.Close()
			return nil, nil, fmt.Errorf("listen for status: %w; choose another --status-listen", err)
		}
	}
	if status != nil && !c.cfg.Insecure && !c.cfg.StatusInsecure && !private(status.Addr()) {
		listener.Close()
		status.Close()
		return nil, nil, fmt.Errorf(
			"listen for status on %s: plain text is restricted to loopback; set --status-insecure", status.Addr(),
		)
	}
	descriptors := admission.Descriptors()
	if status != nil {
		status = admission.LimitListener(status, admission.ProbeCaps(descriptors), c.metrics.connections("status"))
	}
	caps := admission.ConnectionCaps(descriptors, c.cfg.PeerConnections)
	return admission.LimitListener(listener, caps, c.metrics.connections("calls")), status, nil
}

// private reports whether only this machine can reach an address.
func private(a net.Addr) bool {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return a.Network() == "bufconn"
}

// newServer returns the gRPC server with all services.
func (c *Coordinator) newServer() *grpc.Server {
	gate := admission.NewGate(c.cfg.Authorize, c.cfg.OpenTimeout, messageSizes())
	options := append(gate.Options(),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: admission.IdleTimeout, Time: 30 * time.Second, Timeout: 10 * time.Second,
		}),
		grpc.KeepaliveEnforcementPolicy(
			keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true},
		),
		grpc.ChainStreamInterceptor(c.calls.answer),
	)
	if c.cfg.Credentials != nil {
		options = append(options, grpc.Creds(c.cfg.Credentials))
	}
	server := grpc.NewServer(options...)
	services := admission.Registrar{Server: server, Timeout: callTimeout}
	c.registerServices(services)
	healthpb.RegisterHealthServer(services, c.health)
	reflection.Register(services)
	return server
}

// stopServer waits for calls up to stopTimeout, then ends them.
func stopServer(server *grpc.Server, h *health.Server) {
	h.Shutdown()
	timer := time.AfterFunc(stopTimeout, server.Stop)
	defer timer.Stop()
	server.GracefulStop()
}

// calls wraps the handlers of calls: it counts calls and recovers from panics.
type calls struct {
	log     *slog.Logger
	metrics *metrics
}

// answer converts the error of a call to a status.
func (c *calls) answer(
	server any,
	stream grpc.ServerStream,
	info *grpc.StreamServerInfo,
	next grpc.StreamHandler,
) (err error) {
	defer func() { err = c.answered(info.FullMethod, err, recover()) }()
	return next(server, stream)
}

// answered counts a call and converts its error, or panic, to a status.
func (c *calls) answered(method string, err error, panicked any) error {
	if panicked != nil {
		err = c.panicked(method, panicked)
	}
	err = toStatus(err)
	c.metrics.requests.WithLabelValues(method, status.Code(err).String()).Inc()
	return err
}

// panicked logs a panic with the stack of the goroutine that recovered it, and returns an error.
func (c *calls) panicked(method string, p any) error {
	c.log.Error("call panicked", "method", method, "panic", p, "stack", string(debug.Stack()))
	return status.Errorf(codes.Internal, "%s panicked; report the stack in the log of the coordinator", method)
}

// readyz shows the role of this coordinator and the active alarms. It answers 200 either way.
func (c *Coordinator) readyz(w http.ResponseWriter, _ *http.Request) {
	role := "follower"
	if c.term.Load() != nil {
		role = "leader"
	}
	fmt.Fprintln(w, role)
	for _, a := range c.alarms.list() {
		fmt.Fprintln(w, a)
	}
}

// A handler can end a blocked call on its stream only by returning. So what may wait for a peer
// forever runs in the background, and ends with the stream when the handler returns.

// inBackground runs the work of a handler and recovers from its panic.
func (c *calls) inBackground(method string, do func() error) <-chan error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- c.panicked(method, p)
			}
		}()
		done <- do()
	}()
	return done
}

// silence is a timer that runs during each call on a stream and fires when the peer has neither
// taken nor sent anything for limit.
type silence struct {
	timer *time.Timer
	limit time.Duration
}

// newSilence returns a stopped timer.
func newSilence(limit time.Duration) silence {
	timer := time.NewTimer(limit)
	timer.Stop()
	return silence{timer, limit}
}

// begin starts the timer until stop is called.
func (s silence) begin() (stop func() bool) {
	s.timer.Reset(s.limit)
	return s.timer.Stop
}
