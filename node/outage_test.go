package node_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/node"
)

// unreachable is a connection to a coordinator that does not exist.
type unreachable struct{}

func (unreachable) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return status.Error(codes.Unavailable, "connection refused")
}

func (unreachable) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unavailable, "connection refused")
}

// TestOutageDoesNotFloodTheLog: many nodes may retry twice a second for hours.
func TestOutageDoesNotFloodTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer // of Run's goroutine alone
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		n := node.New(
			unreachable{},
			node.Config{
				Name:  "lone",
				Slots: 1,
				Log:   slog.New(slog.NewTextHandler(&log, nil)),
			},
		)
		if err := n.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if warnings := bytes.Count(log.Bytes(), []byte("level=WARN")); warnings < 60 || warnings > 120 {
			t.Errorf("an hour without a coordinator: %d warnings", warnings)
		}
		// Besides them: attempts 1, 2, 4 and 8, and the start and the stop of the node.
		if infos := bytes.Count(log.Bytes(), []byte("level=INFO")); infos > 8 {
			t.Errorf("an hour without a coordinator: %d lines at info\n%.2000s", infos, log.Bytes())
		}
		if !bytes.Contains(log.Bytes(), []byte(`"attach failed"`)) || bytes.Contains(log.Bytes(), []byte("rpc error")) {
			t.Errorf("the log has no \"attach failed\", or gRPC's words:\n%.2000s", log.Bytes())
		}
	})
}
