package coordinator_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// listedSweep is a sweep file that lists n points.
func listedSweep(n int) []byte {
	var b strings.Builder
	b.WriteString(
		"name: listed\nfixed: {model: population, covariance: spiked, init: identity, init_scale: 0.01, steps: 10, " +
			"optimizer: gd, dimension: 10, learning_rate: 0.001}\ngrid:\n  anisotropy: [1",
	)
	for i := range n {
		fmt.Fprintf(&b, ",%v", 2+float64(i)/float64(n+1))
	}
	b.WriteString("]\nrecord: none\n")
	return []byte(b.String())
}

// TestSpecTooLargeForTheLedger: a sweep file that is too large for etcd is rejected before anything
// is written, and a large one that fits is accepted.
func TestSpecTooLargeForTheLedger(t *testing.T) {
	store, dir := fileStore(t)
	c := start(t, coordinator.Config{Embedded: t.TempDir(), Store: store})
	ctx := deadline(t)
	c.leading(ctx)
	large, tooLarge := listedSweep(45_000), listedSweep(100_000)
	for name, err := range map[string]error{
		"Submit": func() error {
			_, err := c.sweeps.Submit(ctx, &pb.SubmitRequest{Filename: "listed.yaml", File: tooLarge})
			return err
		}(),
		"Plan": func() error {
			_, err := c.sweeps.Plan(ctx, &pb.PlanRequest{Filename: "listed.yaml", File: tooLarge})
			return err
		}(),
	} {
		if s := status.Convert(err); s.Code() != codes.InvalidArgument || len(s.Details()) != 1 ||
			!strings.HasPrefix(
				s.Details()[0].(*errdetails.BadRequest).GetFieldViolations()[0].GetField(),
				"listed.yaml:1:1",
			) {
			t.Errorf("%s of a file of %d bytes = %v", name, len(tooLarge), err)
		}
	}
	if sets, err := os.ReadDir(dir); err != nil || len(sets) > 2 {
		t.Errorf("there are %v, %v", sets, err)
	}
	if _, err := c.sweeps.Submit(ctx, &pb.SubmitRequest{File: large}); err != nil {
		t.Errorf("Submit of a file of %d bytes = %v", len(large), err)
	}
	if _, err := c.sweeps.List(ctx, &pb.ListRequest{}); err != nil {
		t.Errorf("List = %v", err)
	}
}
