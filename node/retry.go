package node

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/googleapis/gax-go/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	backOffBase = 100 * time.Millisecond
	// backOffMax is short: without a leader an attempt does not reach the network, and recovery
	// from a failover waits for the next one.
	backOffMax = 500 * time.Millisecond
	// backOffPermanent follows an answer that would be the same again.
	backOffPermanent = 5 * time.Second
)

// backOff is the wait after a failed attempt, counted from 1: exponential with jitter, so that
// nodes do not return at the same time.
func backOff(attempt int, err error) time.Duration {
	longest := backOffMax
	if permanent(err) {
		longest = backOffPermanent
	}
	d := min(backOffBase<<min(attempt-1, 16), longest)
	return d/2 + rand.N(d/2+1)
}

// retry calls try until it succeeds, fails permanently or ctx ends, and returns its last error.
// It calls failed, unless that is nil, before each wait for another attempt.
func retry(ctx context.Context, failed func(attempt int, err error, wait time.Duration), try func() error) error {
	for attempt := 1; ; attempt++ {
		err := try()
		if err == nil || permanent(err) || ctx.Err() != nil {
			return err
		}
		wait := backOff(attempt, err)
		if failed != nil {
			failed(attempt, err, wait)
		}
		if gax.Sleep(ctx, wait) != nil {
			return err
		}
	}
}

// permanent reports whether the coordinator would give the same answer again.
func permanent(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.NotFound, codes.PermissionDenied, codes.OutOfRange,
		codes.Unimplemented:
		return true
	}
	return false
}

// rejected reports whether the answer to a hello would be the same until the node's flags or
// certificate change.
func rejected(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.PermissionDenied, codes.Unauthenticated:
		return true
	}
	return false
}

// nameTaken reports whether another process is attached under this node's name; it may have just
// ended.
func nameTaken(err error) bool { return status.Code(err) == codes.AlreadyExists }

// reason is the text of an error for the log, without gRPC's "rpc error: code = ... desc = ".
func reason(err error) string {
	var answer interface {
		error
		GRPCStatus() *status.Status
	}
	if !errors.As(err, &answer) {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), answer.Error(), answer.GRPCStatus().Message())
}
