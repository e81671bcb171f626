package client

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/sweep"
)

// InvalidError is a request that no coordinator would accept: wrong flags, or mistakes in a sweep
// file, one a line.
type InvalidError struct{ cause error }

func (e InvalidError) Error() string { return e.cause.Error() }
func (e InvalidError) Unwrap() error { return e.cause }

// explain turns a coordinator's status into an error for people. Field violations become an
// InvalidError with one line each.
func explain(what string, err error) error {
	if err == nil {
		return nil
	}
	s := status.Convert(err)
	var lines, alarms []string
	var mistakes sweep.Mistakes
	for _, detail := range s.Details() {
		switch m := detail.(type) {
		case *errdetails.BadRequest:
			for _, v := range m.GetFieldViolations() {
				if m, ok := mistakeOf(v); ok {
					mistakes = append(mistakes, m)
				} else {
					lines = append(lines, v.GetField()+": "+v.GetDescription())
				}
			}
		case *errdetails.PreconditionFailure:
			for _, v := range m.GetViolations() {
				alarms = append(alarms, v.GetSubject()+": "+v.GetDescription())
			}
		}
	}
	switch {
	case len(mistakes) > 0:
		return InvalidError{mistakes}
	case len(lines) > 0:
		return InvalidError{errors.New(strings.Join(lines, "\n"))}
	case s.Code() == codes.InvalidArgument:
		return InvalidError{fmt.Errorf("%s: %s", what, s.Message())}
	case len(alarms) > 0:
		return fmt.Errorf("%s: no coordinator leads:\n%s", what, strings.Join(alarms, "\n"))
	case s.Code() == codes.Unavailable && !fromFollower(err):
		return fmt.Errorf(
			"%s: no coordinator answers (%s); check --coordinator, the --tls flags and that a coordinator is running",
			what, s.Message(),
		)
	case s.Code() == codes.DeadlineExceeded:
		return fmt.Errorf("%s: the coordinator did not answer in time; try again, or check its log", what)
	}
	return fmt.Errorf("%s: %s", what, s.Message())
}

// mistakeOf returns the mistake of a sweep file that a violation is: its field is a position.
func mistakeOf(v *errdetails.BadRequest_FieldViolation) (sweep.Mistake, bool) {
	parts := strings.Split(v.GetField(), ":")
	n := len(parts)
	if n < 3 {
		return sweep.Mistake{}, false
	}
	line, err := strconv.Atoi(parts[n-2])
	column, err2 := strconv.Atoi(parts[n-1])
	file := strings.Join(parts[:n-2], ":")
	return sweep.Mistake{File: file, Line: line, Column: column, Text: v.GetDescription()}, err == nil && err2 == nil
}

// askFollower returns the error with which a follower explains why it does not lead; nil if none
// answers, or one leads.
func askFollower(ctx context.Context, conn grpc.ClientConnInterface) error {
	_, err := pb.NewSweepsClient(conn).List(ctx, &pb.ListRequest{PageSize: 1})
	if fromFollower(err) {
		return err
	}
	return nil
}

// fromFollower reports whether an error is the answer of a coordinator that does not lead.
func fromFollower(err error) bool {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetReason() == "NOT_LEADER" {
			return true
		}
	}
	return false
}
