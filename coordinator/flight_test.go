package coordinator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// flightClient is the client of arrow-go.
func (c *cluster) flightClient() flight.Client {
	c.t.Helper()
	client, err := flight.NewClientWithMiddleware(
		c.address,
		nil,
		nil,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { client.Close() })
	return client
}

// fly returns the integers of the first column of a ticket, and the names of all columns.
func fly(ctx context.Context, client flight.Client, ticket string) (first []int64, names []string, err error) {
	stream, err := client.DoGet(ctx, &flight.Ticket{Ticket: []byte(ticket)})
	if err != nil {
		return nil, nil, err
	}
	r, err := flight.NewRecordReader(stream)
	if err != nil {
		return nil, nil, err
	}
	defer r.Release()
	for _, f := range r.Schema().Fields() {
		names = append(names, f.Name)
	}
	for r.Next() {
		first = append(first, r.Record().Column(0).(*array.Int64).Int64Values()...)
	}
	if err := r.Err(); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	return first, names, nil
}

// deliverShards delivers some shards of a fresh lease and detaches.
func (c *cluster) deliverShards(ctx context.Context, n int64) {
	c.t.Helper()
	z := &coordtest.Node{Name: fmt.Sprintf("partial-%d", n)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.nodes.Attach(ctx)
	if err == nil {
		err = stream.Send(
			&pb.AttachRequest{Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{Info: z.Info(), Capacity: int32(n)}}},
		)
	}
	for delivered := int64(0); err == nil && delivered < n; {
		var m *pb.AttachResponse
		if m, err = stream.Recv(); err != nil {
			break
		}
		for _, run := range m.GetGrant().GetRuns() {
			for i := int64(0); i < run.GetShards() && delivered < n && err == nil; i++ {
				var header *pb.DeliverHeader
				var payload []byte
				if header, payload, err = z.Solve(ctx, c.nodes, run, i); err == nil {
					_, err = coordtest.Deliver(ctx, c.nodes, header, payload)
				}
				delivered++
			}
		}
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

func TestFlightSeesCommittedRowsOnce(t *testing.T) {
	store, _ := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c.leading(ctx)
	sweep := c.submit(ctx, smallSweep).GetSweep()
	client := c.flightClient()
	points := fmt.Sprintf(`{"sweep": %q, "table": "points"}`, sweep.GetId())

	if rows, names, err := fly(ctx, client, points); err != nil || len(rows) != 0 || names[0] != "point" {
		t.Fatalf("before the first shard: %d rows, columns %v, %v", len(rows), names, err)
	}
	c.deliverShards(ctx, 3)
	rows, _, err := fly(ctx, client, points)
	if err != nil || len(rows) == 0 || len(rows) >= 1000 || !slices.IsSorted(rows) {
		t.Fatalf("after three shards: %d rows, %v", len(rows), err)
	}
	some := len(rows)

	node := &coordtest.Node{Name: "n1"}
	ended := make(chan error, 1)
	nodeCtx, stop := context.WithCancel(ctx)
	go func() { ended <- node.Run(nodeCtx, c.conn) }()
	// While shards are committed and merged, the number of rows never falls and no row is repeated.
	for last := some; last < 1000; {
		rows, _, err := fly(ctx, client, points)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) < last || len(slices.Compact(slices.Clone(rows))) != len(rows) || !slices.IsSorted(rows) {
			t.Fatalf("%d rows after %d", len(rows), last)
		}
		last = len(rows)
	}
	c.wait(ctx, sweep.GetId())
	stop()
	<-ended

	rows, names, err := fly(
		ctx,
		client,
		fmt.Sprintf(
			`{"sweep": %q, "table": "points", "columns": ["point", "loss"], "first": 10, "end": 20}`,
			sweep.GetId()[:8],
		),
	)
	if err != nil || len(rows) != 10 || rows[0] != 10 || !slices.Equal(names, []string{"point", "loss"}) {
		t.Errorf("ten points of two columns: %v of %v, %v", rows, names, err)
	}
	info, err := client.GetFlightInfo(
		ctx,
		&flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{sweep.GetId(), "points"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	if rows, _, err := fly(ctx, client, string(info.GetEndpoint()[0].GetTicket().GetTicket())); err != nil ||
		len(rows) != 1000 {
		t.Errorf("by its information: %d rows, %v", len(rows), err)
	}
	list, err := client.ListFlights(ctx, &flight.Criteria{})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := list.Recv(); err != nil || info.GetFlightDescriptor().GetPath()[1] != "points" {
		t.Errorf("listed %v, %v", info, err)
	}
	checkPyarrow(t, c.address, sweep.GetId())
}

func TestFlightRefusesWhatIsNoTicket(t *testing.T) {
	store, _ := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	for name, test := range map[string]struct {
		ticket string
		code   codes.Code
	}{
		"no JSON":       {"points", codes.InvalidArgument},
		"unknown key":   {fmt.Sprintf(`{"sweep": %q, "tabel": "points"}`, id), codes.InvalidArgument},
		"unknown sweep": {`{"sweep": "ffff", "table": "points"}`, codes.NotFound},
		"unknown table": {fmt.Sprintf(`{"sweep": %q, "table": "trajectories"}`, id), codes.InvalidArgument},
		"unknown column": {
			fmt.Sprintf(`{"sweep": %q, "table": "points", "columns": ["los"]}`, id), codes.InvalidArgument,
		},
		"column twice": {
			fmt.Sprintf(`{"sweep": %q, "table": "points", "columns": ["loss", "loss"]}`, id), codes.InvalidArgument,
		},
		"negative point":   {fmt.Sprintf(`{"sweep": %q, "table": "points", "first": -1}`, id), codes.InvalidArgument},
		"overlong ticket":  {strings.Repeat(" ", 1<<17), codes.ResourceExhausted},
		"empty descriptor": {"", codes.InvalidArgument},
	} {
		if _, _, err := fly(ctx, c.flightClient(), test.ticket); status.Code(err) != test.code {
			t.Errorf("%s: %v; want %v", name, err, test.code)
		}
	}
}

// pyarrowScript reads the points of a sweep and prints the numbers of rows and of distinct points.
const pyarrowScript = `
import sys, pyarrow.flight as flight
client = flight.connect("grpc://" + sys.argv[1])
info = client.get_flight_info(flight.FlightDescriptor.for_path(sys.argv[2], "points"))
table = client.do_get(info.endpoints[0].ticket).read_all()
print('{"rows": %d, "distinct": %d}' % (table.num_rows, len(set(table["point"].to_pylist()))))
`

// checkPyarrow reads with pyarrow if it is installed; PHASEGRID_PYTHON names the interpreter.
func checkPyarrow(t *testing.T, address, sweep string) {
	python := os.Getenv("PHASEGRID_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.CommandContext(t.Context(), python, "-c", "import pyarrow.flight").Run(); err != nil {
		t.Logf("no pyarrow.flight for %s: read by arrow-go's client alone", python)
		return
	}
	out, err := exec.CommandContext(t.Context(), python, "-c", pyarrowScript, address, sweep).CombinedOutput()
	var got struct{ Rows, Distinct int }
	if err == nil {
		err = json.Unmarshal(out, &got)
	}
	if err != nil || got.Rows != 1000 || got.Distinct != 1000 {
		t.Errorf("pyarrow read %+v, %v: %s", got, err, out)
	}
}
