package coordinator

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestAlarmEndsWithTheTermThatRaisedIt: a leader that is deposed while its store is full may lead again once there is room.
func TestAlarmEndsWithTheTermThatRaisedIt(t *testing.T) {
	for name, last := range map[string]error{"context ended": errors.New("full"), "fenced": ErrFenced, "healed": nil} {
		c := &term{Coordinator: &Coordinator{alarms: newAlarms(slog.New(slog.DiscardHandler), newMetrics(prometheus.NewRegistry()).alarms)}}
		ctx, cancel := context.WithCancel(t.Context())
		tries := 0
		err := c.retry(ctx, "store", func() error {
			if tries++; tries == 1 {
				return errors.New("full")
			}
			if len(c.alarms.list()) != 1 {
				t.Errorf("%s: no alarm while the store is full", name)
			}
			if errors.Is(last, ErrFenced) || last == nil {
				return last
			}
			cancel()
			return last
		})
		cancel()
		if (err == nil) != (last == nil) || len(c.alarms.list()) != 0 {
			t.Errorf("%s: retry = %v, alarms %v", name, err, c.alarms.list())
		}
	}
}
