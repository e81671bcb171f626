package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/health" // client-side health checks, asked for by serviceConfig
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
)

const (
	chunkBytes      = 128 << 10 // also on a slow line one arrives within the 20 s for which coordinators wait
	maxRecvBytes    = 16 << 20
	deliveryTimeout = 2 * time.Minute
	specTimeout     = 30 * time.Second
	// attachTimeout is how long a coordinator may take to welcome a node.
	attachTimeout = 5 * time.Second
)

// errSilent ends a session whose coordinator says nothing any more: it is stopped, or the network
// lost it without a word.
var errSilent = errors.New("the coordinator is silent")

// serviceConfig spreads over all addresses of a name and sends only to the coordinator whose health
// check says that it serves the service: the leader.
const serviceConfig = `{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":%q}}`

// Dial makes a link to the coordinators at a gRPC target, or at several addresses host:port with
// commas between them; a bare host:port is looked up by DNS, and every address found is tried.
// Service is the one whose health decides which of them is the leader.
func Dial(target, service string, creds credentials.TransportCredentials, opts ...grpc.DialOption) (*Link, error) {
	opts = append([]grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithDefaultServiceConfig(fmt.Sprintf(serviceConfig, service)),
		grpc.WithKeepaliveParams(
			keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true},
		),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay:  100 * time.Millisecond,
				Multiplier: 1.6,
				Jitter:     0.2,
				MaxDelay:   2 * time.Second,
			},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxRecvBytes)),
	}, opts...)
	return newLink(func() (*grpc.ClientConn, error) {
		if addresses := strings.Split(target, ","); len(addresses) > 1 {
			return grpc.NewClient(
				"list:///coordinators",
				append(slices.Clone(opts), grpc.WithResolvers(list(addresses)))...)
		}
		return grpc.NewClient(target, opts...)
	}, target)
}

// list resolves to the addresses themselves, each with its own name for TLS.
func list(addresses []string) *manual.Resolver {
	r := manual.NewBuilderWithScheme("list")
	var state resolver.State
	for _, address := range addresses {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			host = address
		}
		state.Addresses = append(state.Addresses, resolver.Address{Addr: address, ServerName: host})
	}
	r.InitialState(state)
	return r
}

// client is the edge to the coordinator: generated types stay in this file.
type client struct {
	nodes pb.NodesClient
	conn  grpc.ClientConnInterface
}

func newClient(conn grpc.ClientConnInterface) *client { return &client{pb.NewNodesClient(conn), conn} }

// renew makes the connection anew where it can be: deliveries that wait on a silent coordinator are
// sent again then.
func (c *client) renew() error {
	if link, ok := c.conn.(interface{ Renew() error }); ok {
		return link.Renew()
	}
	return nil
}

// identity is what a node tells about itself.
type identity struct {
	name            string
	slots           int
	memoryBytes     int64
	solverVersion   int
	arithmeticClass string
	kernel          string
	version         string
	instance        []byte // random: proves that streams and deliveries are of this process
}

// downward is one message of the coordinator; one of its fields is set.
type downward struct {
	welcome *welcome
	grant   []lease
	revoke  []key
	refused string
}

type welcome struct{ leaseTTL, heartbeat, silence time.Duration }

// session is one Attach stream. One goroutine may send while another receives.
type session struct {
	stream  pb.Nodes_AttachClient
	ctx     context.Context
	cancel  context.CancelCauseFunc
	quiet   *time.Timer   // ends the session once it has heard nothing for too long
	silence time.Duration // that is too long, 0 for none: of the one goroutine that receives
}

// attach opens a stream and says hello.
func (c *client) attach(ctx context.Context, id identity, held []lease, capacity int) (*session, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &session{ctx: ctx, cancel: cancel, silence: attachTimeout}
	s.quiet = time.AfterFunc(attachTimeout, func() { cancel(errSilent) })
	var err error
	if s.stream, err = c.nodes.Attach(ctx); err != nil {
		s.end()
		return nil, fmt.Errorf("attach to the coordinator: %w", s.cause(err))
	}
	err = s.send(&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{
		Info: &pb.NodeInfo{
			Name: id.name, Slots: int32(id.slots), MemoryBytes: id.memoryBytes, SolverVersion: int32(id.solverVersion),
			ArithmeticClass: id.arithmeticClass, Kernel: id.kernel, Version: id.version,
		},
		Held: runsToProto(held), Capacity: int32(capacity), Instance: id.instance,
	}}})
	if errors.Is(err, io.EOF) {
		_, err = s.stream.Recv() // why the stream has ended
	}
	if err != nil {
		s.end()
		return nil, s.cause(err)
	}
	return s, nil
}

func (s *session) end() {
	s.quiet.Stop()
	s.cancel(nil)
}

// cause is why the session ended, where it was silence and not what the stream says.
func (s *session) cause(err error) error {
	if errors.Is(context.Cause(s.ctx), errSilent) {
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	return err
}

func (s *session) heartbeat(capacity int) error {
	return s.send(
		&pb.AttachRequest{Message: &pb.AttachRequest_Heartbeat{Heartbeat: &pb.Heartbeat{Capacity: int32(capacity)}}},
	)
}

// abandon gives up a shard that this node cannot solve; it counts as an unclean loss of it.
func (s *session) abandon(l lease, cause string) error {
	return s.send(&pb.AttachRequest{Message: &pb.AttachRequest_Abandon{Abandon: &pb.Abandon{
		Run: runsToProto([]lease{l})[0], Cause: cause,
	}}})
}

func (s *session) drain(returned []lease) error {
	return s.send(
		&pb.AttachRequest{Message: &pb.AttachRequest_Drain{Drain: &pb.Drain{Returned: runsToProto(returned)}}},
	)
}

// bye ends the node's life cleanly: it says what it hands back and waits until the coordinator has
// read it.
func (s *session) bye(returned []lease) error {
	if err := s.send(&pb.AttachRequest{Message: &pb.AttachRequest_Bye{Bye: &pb.Bye{Returned: runsToProto(returned)}}}); err != nil {
		return err
	}
	return s.stream.CloseSend()
}

// send fails with io.EOF where the stream has ended. Why it has, only its one receiver may ask: two
// at once wait for each other's message.
func (s *session) send(m *pb.AttachRequest) error {
	if err := s.stream.Send(m); err != nil {
		return fmt.Errorf("send to the coordinator: %w", err)
	}
	return nil
}

// receive waits for the next message of a known kind.
func (s *session) receive() (downward, error) {
	for {
		m, err := s.stream.Recv()
		if err != nil {
			return downward{}, s.cause(err)
		}
		if w := m.GetWelcome(); w != nil {
			s.silence = time.Duration(w.GetSilenceMs()) * time.Millisecond
		}
		if s.silence > 0 {
			s.quiet.Reset(s.silence)
		} else {
			s.quiet.Stop()
		}
		switch {
		case m.GetWelcome() != nil:
			w := m.GetWelcome()
			return downward{welcome: &welcome{
				leaseTTL:  time.Duration(w.GetLeaseTtlMs()) * time.Millisecond,
				heartbeat: time.Duration(w.GetHeartbeatMs()) * time.Millisecond,
				silence:   s.silence,
			}}, nil
		case m.GetGrant() != nil:
			rs, err := runsFromProto(m.GetGrant().GetRuns())
			if err != nil {
				return downward{}, fmt.Errorf("grant of the coordinator: %w", err)
			}
			var leases []lease
			for _, r := range rs {
				leases = append(leases, r.leases()...)
			}
			return downward{grant: leases}, nil
		case m.GetRevoke() != nil:
			return downward{revoke: keysFromProto(m.GetRevoke().GetRuns())}, nil
		case m.GetRefused() != nil:
			return downward{refused: m.GetRefused().GetReason()}, nil
		}
	}
}

// spec asks for a sweep's canonical spec and what its rows depend on beside it.
func (c *client) spec(ctx context.Context, sweepID string) (canonical []byte, solverVersion int, err error) {
	ctx, cancel := context.WithTimeout(ctx, specTimeout)
	defer cancel()
	answer, err := c.nodes.GetSpec(ctx, &pb.GetSpecRequest{SweepId: sweepID})
	if err != nil {
		return nil, 0, fmt.Errorf("ask for sweep %s: %w", sweepID, err)
	}
	return answer.GetSpec().GetCanonical(), int(answer.GetSpec().GetSolverVersion()), nil
}

// delivery is one solved shard.
type delivery struct {
	lease
	rows              results.Delivery
	started, finished time.Time
}

// tables are the names of the tables on the wire.
var tables = map[results.Table]pb.Table{
	results.Points: pb.Table_TABLE_POINTS, results.Trajectories: pb.Table_TABLE_TRAJECTORIES, results.Coefficients: pb.Table_TABLE_COEFFICIENTS,
}

// deliver sends a shard and waits for the coordinator's answer; wanted is false where a twin was
// first or the sweep no longer wants it.
func (c *client) deliver(ctx context.Context, id identity, d delivery) (wanted bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	stream, err := c.nodes.Deliver(ctx)
	if err != nil {
		return false, err
	}
	header := &pb.DeliverHeader{
		SweepId: d.sweep, Shard: d.shard, Epoch: d.epoch, Node: id.name,
		SolverVersion: int32(
			id.solverVersion,
		), ArithmeticClass: id.arithmeticClass, Kernel: id.kernel, Instance: id.instance,
		PayloadBytes: int64(len(d.rows.Payload)), Crc32C: d.rows.CRC32C,
		Started: timestamppb.New(d.started), Finished: timestamppb.New(d.finished),
	}
	for _, g := range d.rows.Segments {
		header.Segments = append(header.Segments, &pb.Segment{Table: tables[g.Table], Bytes: g.Bytes, Rows: g.Rows})
	}
	err = stream.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Header{Header: header}})
	for rest := d.rows.Payload; err == nil && len(rest) > 0; {
		n := min(len(rest), chunkBytes)
		err = stream.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Chunk{Chunk: rest[:n]}})
		rest = rest[n:]
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	answer, err := stream.CloseAndRecv() // after io.EOF it holds why the coordinator ended the stream
	if err != nil {
		return false, err
	}
	return answer.GetOutcome() == pb.DeliverResponse_OUTCOME_COMMITTED, nil
}

// permanent tells whether the coordinator would give the same answer again.
func permanent(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.NotFound, codes.PermissionDenied, codes.OutOfRange,
		codes.Unimplemented:
		return true
	}
	return false
}

// hopeless tells whether the answer to a hello would be the same until somebody changes the node's
// flags or certificate.
func hopeless(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.PermissionDenied, codes.Unauthenticated:
		return true
	}
	return false
}

// nameTaken tells whether another process is attached under this node's name. It may be one that
// has just died.
func nameTaken(err error) bool { return status.Code(err) == codes.AlreadyExists }

func runsToProto(leases []lease) []*pb.ShardRun {
	var out []*pb.ShardRun
	for _, r := range runs(leases) {
		out = append(out, &pb.ShardRun{
			SweepId: r.sweep, FirstShard: r.shard, Shards: int64(len(r.bounds) - 1), Bounds: r.bounds, Epoch: r.epoch,
		})
	}
	return out
}

func runsFromProto(in []*pb.ShardRun) ([]run, error) {
	out := make([]run, 0, len(in))
	for _, r := range in {
		bounds := r.GetBounds()
		if r.GetShards() < 1 || int64(len(bounds)) != r.GetShards()+1 {
			return nil, fmt.Errorf(
				"sweep %s, shard %d: %d bounds for %d shards",
				r.GetSweepId(),
				r.GetFirstShard(),
				len(bounds),
				r.GetShards(),
			)
		}
		for i := 1; i < len(bounds); i++ {
			if bounds[i] < bounds[i-1] || bounds[0] < 0 {
				return nil, fmt.Errorf("sweep %s, shard %d: bounds do not rise", r.GetSweepId(), r.GetFirstShard())
			}
		}
		out = append(out, run{sweep: r.GetSweepId(), shard: r.GetFirstShard(), bounds: bounds, epoch: r.GetEpoch()})
	}
	return out, nil
}

// maxRevoked bounds what one message may name: a node never holds more.
const maxRevoked = 1 << 20

func keysFromProto(in []*pb.ShardRun) []key {
	var out []key
	for _, r := range in {
		for i := int64(0); i < r.GetShards() && len(out) < maxRevoked; i++ {
			out = append(out, key{r.GetSweepId(), r.GetFirstShard() + i})
		}
	}
	return out
}
