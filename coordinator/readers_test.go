package coordinator_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow/flight"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// TestReadersThatStall: many readers of a merged table that take nothing do not fill the memory of
// the leader, and do not block another reader forever.
func TestReadersThatStall(t *testing.T) {
	store, _ := fileStore(t)
	cfg := coordinator.Config{Ledger: ledger.NewMemory(), Store: store, ReaderTimeout: 5 * time.Second}
	const points = 8 * 16384
	file, err := coordtest.SweepFile(8, 16384)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c := start(t, cfg)
	c.leading(ctx)
	stopNode := c.serve(ctx, &coordtest.Node{Name: "n", Slots: 4, Workers: 4})
	c.wait(ctx, c.submit(ctx, string(file)).GetSweep().GetId())
	stopNode()
	c.stop()
	c = start(t, cfg)
	c.leading(ctx)
	list, err := c.sweeps.List(ctx, &pb.ListRequest{})
	if err != nil {
		t.Fatal(err)
	}
	ticket := fmt.Sprintf(`{"sweep":%q,"table":"points"}`, list.GetSweeps()[0].GetId())
	client := c.flightClient()
	begun := make(chan struct{}, 12)
	for range cap(begun) {
		stream, err := client.DoGet(ctx, &flight.Ticket{Ticket: []byte(ticket)})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = stream.Recv() // the schema; its rows are left
			begun <- struct{}{}
		}()
	}
	for range 4 { // as many as there is memory for
		await(ctx, t, begun, "a reader has begun")
	}
	var rows []int64
	read := make(chan error, 1)
	go func() {
		var err error
		rows, _, err = fly(ctx, client, ticket)
		read <- err
	}()
	for {
		select {
		case err := <-read:
			if err != nil || len(rows) != points {
				t.Errorf("the reader that takes what it asked for has %d rows of %d, %v", len(rows), points, err)
			}
			return
		case <-time.After(500 * time.Millisecond): // a look at the memory now and then
			var m runtime.MemStats
			runtime.GC()
			if runtime.ReadMemStats(&m); m.HeapAlloc > 700<<20 {
				t.Fatalf("%d MB are in use", m.HeapAlloc>>20)
			}
		}
	}
}
