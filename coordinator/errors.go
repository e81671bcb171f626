package coordinator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/sweep"
)

// Errors that callers act on.
var (
	// ErrUnknownSweep is returned where a sweep is named that is not there.
	errUnknownSweep = errors.New("no such sweep; `phasegrid ls` lists them")
	// ErrAmbiguous is returned where a prefix names several sweeps.
	errAmbiguous = errors.New("several sweeps match; give more of the id")
	// ErrNotEnded is returned by Delete for a sweep that goes on, and by Retry while its last bytes
	// are being written.
	errNotEnded = errors.New("the sweep has not ended; cancel it first, or try again in a moment")
	// ErrRemoving is returned for requests about a sweep that is being removed.
	errRemoving = errors.New("the sweep is being removed; try again when `phasegrid ls` does not list it any more")
	// ErrEnded is returned for a request that only makes sense before a sweep ends.
	errEnded = errors.New("the sweep has ended")
	// ErrRejected is returned to a node whose delivery another node should have made.
	errRejected = errors.New("delivery rejected")

	// errIncomplete is returned for a result set whose files are not all there.
	errIncomplete = errors.New("the store lacks files of the result set, or has them in another size")
	errNameTaken  = errors.New("another process is attached under this name; give each node a --name of its own")
)

// notLeader is returned by whoever does not lead. Its alarms tell why nobody may.
type notLeaderError struct {
	address string
	alarms  []string // as alarms.list has them
}

func (e *notLeaderError) Error() string {
	if e.address == "" {
		return "this coordinator does not lead, and no leader is known yet; try again"
	}
	return "this coordinator does not lead; the leader is " + e.address
}

// details say who leads, and list the alarms by their subjects.
func (e *notLeaderError) details() []protoadapt.MessageV1 {
	details := []protoadapt.MessageV1{
		&errdetails.RetryInfo{RetryDelay: durationpb.New(retryDelay)},
		&errdetails.ErrorInfo{
			Reason:   "NOT_LEADER",
			Domain:   "phasegrid",
			Metadata: map[string]string{"leader": e.address},
		},
	}
	if len(e.alarms) == 0 {
		return details
	}
	m := &errdetails.PreconditionFailure{}
	for _, a := range e.alarms {
		subject, text, _ := strings.Cut(a, ": ")
		m.Violations = append(
			m.Violations,
			&errdetails.PreconditionFailure_Violation{Type: "ALARM", Subject: subject, Description: text},
		)
	}
	return append(details, m)
}

// fieldError is a request with a bad field.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

func badField(field, format string, args ...any) error {
	return &fieldError{field, fmt.Errorf(format, args...)}
}

// maxMistakes bounds the mistakes of a sweep file, and the alarms, in one answer: it travels in a
// header.
const maxListed = 50

// retryDelay is what callers are asked to wait before they try again.
const retryDelay = 200 * time.Millisecond

// toStatus is the one place where errors become gRPC statuses.
func toStatus(err error) error {
	var leader *notLeaderError
	var field *fieldError
	var mistakes sweep.Mistakes
	switch {
	case err == nil:
		return nil
	case errors.As(err, &leader):
		return withDetails(codes.Unavailable, err, leader.details()...)
	case errors.As(err, &field):
		return withDetails(codes.InvalidArgument, err, &errdetails.BadRequest{
			FieldViolations: []*errdetails.BadRequest_FieldViolation{
				{Field: field.field, Description: field.err.Error()},
			}})
	case errors.As(err, &mistakes):
		return withDetails(codes.InvalidArgument, err, badRequest(mistakes))
	case errors.Is(err, errUnknownSweep):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, errNameTaken):
		return status.Error(codes.AlreadyExists, err.Error())
	case errors.Is(err, errIncomplete):
		return status.Error(codes.DataLoss, err.Error())
	case errors.Is(err, errAmbiguous):
		return status.Error(codes.InvalidArgument, err.Error())
	case errors.Is(err, errNotEnded),
		errors.Is(err, errEnded),
		errors.Is(err, errRemoving),
		errors.Is(err, errRejected):
		return status.Error(codes.FailedPrecondition, err.Error())
	case errors.Is(err, ledger.ErrFenced):
		return withDetails(codes.Unavailable, err, &errdetails.RetryInfo{RetryDelay: durationpb.New(retryDelay)})
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, err.Error())
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, err.Error())
	}
	if s, ok := status.FromError(err); ok {
		return s.Err()
	}
	return status.Error(codes.Internal, err.Error())
}

// badRequest lists the mistakes of a sweep file by their places.
func badRequest(mistakes sweep.Mistakes) *errdetails.BadRequest {
	m := &errdetails.BadRequest{}
	for _, p := range mistakes[:min(len(mistakes), maxListed)] {
		m.FieldViolations = append(m.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column), Description: p.Text})
	}
	return m
}

func withDetails(code codes.Code, err error, details ...protoadapt.MessageV1) error {
	s := status.New(code, err.Error())
	if d, failed := s.WithDetails(details...); failed == nil {
		s = d
	}
	return s.Err()
}
