package coordinator

import "time"

// A handler cannot end a call on its stream but by returning. So what may wait for a peer for ever
// is done in the background: with the handler the stream ends, and what waits for it.

// inBackground does what a handler is for, and survives a panic of it.
func (c *Coordinator) inBackground(method string, do func() error) <-chan error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- c.panicked(method, p)
			}
		}()
		done <- do()
	}()
	return done
}

// silence is a timer that runs while one call on a stream is under way, and fires when the peer
// takes or brings nothing for as long as it has patience.
type silence struct {
	*time.Timer
	patience time.Duration
}

func newSilence(patience time.Duration) silence {
	timer := time.NewTimer(patience)
	timer.Stop()
	return silence{timer, patience}
}

// begin lets it run until stop is called.
func (s silence) begin() (stop func() bool) {
	s.Reset(s.patience)
	return s.Stop
}
