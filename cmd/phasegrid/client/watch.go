package client

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/googleapis/gax-go/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// Watch calls see with the sweep now and whenever it changes, until it ends. When a coordinator
// goes away, Watch reconnects by itself, to the sweep that it saw first, even if another one has
// its name by then.
func (c *Client) Watch(ctx context.Context, ref string, see func(Sweep)) (Sweep, error) {
	var last Sweep
	told := false // that no coordinator answers
	for wait := time.Duration(0); ; wait = min(2*wait+100*time.Millisecond, 3*time.Second) {
		if err := gax.Sleep(ctx, wait); err != nil {
			return last, err
		}
		stream, err := c.sweeps.Watch(ctx, &pb.WatchRequest{Sweep: ref})
		for err == nil {
			var m *pb.WatchResponse
			if m, err = stream.Recv(); err == nil {
				wait, told = 0, false
				last = viewSweep(m.GetSweep())
				ref = last.ID
				see(last)
			}
		}
		switch {
		case ctx.Err() != nil:
			return last, ctx.Err()
		case errors.Is(err, io.EOF) && last.Ended():
			return last, nil
		case errors.Is(err, io.EOF) || status.Code(err) == codes.Unavailable:
			if !told {
				told = true
				c.waiting(err)
			}
			continue
		}
		return last, explain("watch "+ref, err)
	}
}
