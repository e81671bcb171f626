package client

import (
	"errors"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/sweep"
)

// TestMistakesOfASweepFileStayMistakes checks that a coordinator's list of them is the error that
// a local parse would return, and that other invalid fields are not taken for them.
func TestMistakesOfASweepFileStayMistakes(t *testing.T) {
	violations := func(field string) error {
		s, err := status.New(codes.InvalidArgument, "invalid").WithDetails(&errdetails.BadRequest{
			FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field, Description: "wrong"}}})
		if err != nil {
			t.Fatal(err)
		}
		return explain("submit", s.Err())
	}
	var mistakes sweep.Mistakes
	if err := violations("c:/x.yaml:3:14"); !errors.As(err, &mistakes) || err.Error() != "c:/x.yaml:3:14: wrong" {
		t.Errorf("got %v (%d mistakes)", err, len(mistakes))
	}
	for _, field := range []string{"page_token", "sweep:x:1"} {
		if err := violations(field); errors.As(err, &mistakes) || err.Error() != field+": wrong" {
			t.Errorf("%s: got %v", field, err)
		}
	}
}
