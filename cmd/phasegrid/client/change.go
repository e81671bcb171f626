package client

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// Change is a request that puts a sweep into another phase; its value is the command's name.
type Change string

const (
	ChangePause  Change = "pause"
	ChangeResume Change = "resume"
	ChangeCancel Change = "cancel"
)

// Change changes the phase of the sweep with an id and returns the sweep after it.
func (c *Client) Change(ctx context.Context, change Change, id string) (Sweep, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var answer interface{ GetSweep() *pb.Sweep }
	var err error
	switch change {
	case ChangePause:
		answer, err = c.sweeps.Pause(ctx, &pb.PauseRequest{Sweep: id})
	case ChangeResume:
		answer, err = c.sweeps.Resume(ctx, &pb.ResumeRequest{Sweep: id})
	case ChangeCancel:
		answer, err = c.sweeps.Cancel(ctx, &pb.CancelRequest{Sweep: id})
	}
	if err != nil {
		return Sweep{}, explain(string(change)+" "+ShortID(id), err)
	}
	return viewSweep(answer.GetSweep()), nil
}

// Retry ends the quarantines of the sweep with an id, and returns how many shards are leased again.
func (c *Client) Retry(ctx context.Context, id string) (Sweep, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := c.sweeps.Retry(ctx, &pb.RetryRequest{Sweep: id})
	if err != nil {
		return Sweep{}, 0, explain("retry "+ShortID(id), err)
	}
	return viewSweep(answer.GetSweep()), answer.GetShards(), nil
}

// Remove removes the sweep with an id, which existed a moment ago. Not to find it is success: this
// call removed it, and its first answer was lost.
func (c *Client) Remove(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := c.sweeps.Delete(ctx, &pb.DeleteRequest{Sweep: id})
	switch status.Code(err) {
	case codes.NotFound:
		return nil
	case codes.DeadlineExceeded:
		return fmt.Errorf(
			"remove sweep %s: not done after %v, and continued by the coordinator; "+
				"`phasegrid ls` lists the sweep until it is removed",
			ShortID(id),
			callTimeout,
		)
	}
	return explain("remove sweep "+ShortID(id), err)
}
