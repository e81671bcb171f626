package client

import (
	"context"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/googleapis/gax-go/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/node"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// sweepsService is the gRPC service of clients; its health tells which coordinator is the leader.
const sweepsService = "phasegrid.v1.Sweeps"

const (
	// callTimeout bounds every call but Submit, Watch and the transfer of files.
	callTimeout = 30 * time.Second
	// submitTimeout bounds Submit: where expressions decide the cost of points, the coordinator
	// evaluates them for every point, ten million at most.
	submitTimeout = 10 * time.Minute
)

// Client calls the Sweeps service of a coordinator. It is safe for concurrent use.
type Client struct {
	conn    grpc.ClientConnInterface
	sweeps  pb.SweepsClient
	waiting func(error) // called when no coordinator answers, with the reason
}

// New returns a client that uses a connection of the caller's.
func New(conn grpc.ClientConnInterface) *Client {
	return &Client{conn, pb.NewSweepsClient(conn), func(error) {}}
}

// Dial returns a client of the leader among the coordinators at an address, which may name
// several, and the connection to close after it. Calls fail while no coordinator leads; those of
// Config.With are repeated.
func Dial(
	address string,
	creds credentials.TransportCredentials,
	opts ...grpc.DialOption,
) (c *Client, conn io.Closer, err error) {
	link, err := node.Dial(address, sweepsService, creds, opts...)
	if err != nil {
		return nil, nil, err
	}
	return New(link), link, nil
}

// Submit stores a sweep file; created is false if the sweep existed.
func (c *Client) Submit(
	ctx context.Context,
	filename string,
	file []byte,
	priority, weight int32,
) (s Sweep, created bool, warnings []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, submitTimeout)
	defer cancel()
	answer, err := c.sweeps.Submit(
		ctx, &pb.SubmitRequest{File: file, Filename: printable(filename), Priority: priority, Weight: weight},
	)
	if err != nil {
		return Sweep{}, false, nil, explain("submit "+filename, err)
	}
	return viewSweep(answer.GetSweep()), answer.GetCreated(), answer.GetWarnings(), nil
}

// SubmitWhenReady submits as soon as a coordinator leads: one that was just started needs a
// moment for that.
func (c *Client) SubmitWhenReady(ctx context.Context, filename string, file []byte) (Sweep, error) {
	for {
		answer, err := c.sweeps.Submit(
			ctx, &pb.SubmitRequest{File: file, Filename: printable(filename)}, grpc.WaitForReady(true),
		)
		switch {
		case err == nil:
			return viewSweep(answer.GetSweep()), nil
		case status.Code(err) != codes.Unavailable:
			return Sweep{}, explain("submit "+filename, err)
		}
		if err := gax.Sleep(ctx, 20*time.Millisecond); err != nil {
			return Sweep{}, err
		}
	}
}

// printable returns a file's name as it may be sent: file systems allow more than protobuf and
// terminals do.
func printable(filename string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(filename, "?"))
}

// Get returns the sweep that a reference names: an id, the beginning of one, or a name.
func (c *Client) Get(ctx context.Context, ref string) (Sweep, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := c.sweeps.Get(ctx, &pb.GetRequest{Sweep: ref})
	if err != nil {
		return Sweep{}, explain("get "+ref, err)
	}
	return viewSweep(answer.GetSweep()), nil
}

// List returns all sweeps of the cluster.
func (c *Client) List(ctx context.Context) ([]Sweep, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sweeps := []Sweep{}
	for page := ""; ; {
		answer, err := c.sweeps.List(ctx, &pb.ListRequest{PageToken: page})
		if err != nil {
			return nil, explain("list sweeps", err)
		}
		for _, s := range answer.GetSweeps() {
			sweeps = append(sweeps, viewSweep(s))
		}
		if page = answer.GetNextPageToken(); page == "" {
			return sweeps, nil
		}
	}
}

// FencedNodes returns the nodes that get no leases, with the reasons.
func (c *Client) FencedNodes(ctx context.Context) ([]FencedNode, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := c.sweeps.ListNodes(ctx, &pb.ListNodesRequest{})
	if err != nil {
		return nil, explain("list nodes", err)
	}
	var nodes []FencedNode
	for _, n := range answer.GetNodes() {
		if n.GetFenced() != "" {
			nodes = append(nodes, FencedNode{n.GetInfo().GetName(), n.GetFenced()})
		}
	}
	return nodes, nil
}
