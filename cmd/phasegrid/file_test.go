package main

import (
	"context"
	"errors"
	"testing"
)

// TestInterruptionIsNotWaitedFor: Ctrl-C ends plan while it looks at ten million points.
func TestInterruptionIsNotWaitedFor(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	looking, end := make(chan struct{}), make(chan struct{})
	defer close(end)
	go func() {
		<-looking
		interrupt()
	}()
	_, err := interruptible(ctx, func() (int, error) {
		close(looking)
		<-end
		return 0, nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
}
