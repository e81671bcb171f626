package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/phasegrid/phasegrid/sweep"
)

// attachTimeout bounds the time that a coordinator may take to welcome a node.
const attachTimeout = 5 * time.Second

// errSilent ends a session whose coordinator has stopped sending: it was suspended, or the
// network lost it.
var errSilent = errors.New("coordinator is silent")

// identity is what a node registers with.
type identity struct {
	name            string
	slots           int
	memoryBytes     int64
	solver          sweep.SolverIdentity
	arithmeticClass string
	kernel          string
	version         string
	instance        []byte // random: proves that streams and deliveries are of this process
}

// Messages to the coordinator.
type (
	hello struct {
		id       identity
		held     []lease // from before a reconnect
		capacity int
	}
	heartbeat struct{ capacity int }
	// abandon gives up a shard that this node cannot solve; it counts as a lease failure.
	abandon struct {
		lease lease
		cause string
	}
	drain struct{ returned []lease }
	// bye ends the node's life and hands back what it still holds.
	bye struct{ returned []lease }
)

// sessionMessage is a message of the coordinator; at most one of its fields is set.
type sessionMessage struct {
	welcome *welcome
	grant   []lease
	revoke  []revocation
	refused string // why this node gets no work
}

// welcome is the coordinator's answer to hello.
type welcome struct {
	leaseTTL  time.Duration // a node silent for longer loses its leases
	heartbeat time.Duration // interval of heartbeats
	silence   time.Duration // a coordinator silent for longer is lost; 0: never
}

// session is one Attach stream. One goroutine may send while another receives.
type session struct {
	stream  attachStream
	ctx     context.Context
	cancel  context.CancelCauseFunc
	timer   *time.Timer   // ends the session when the coordinator is silent
	silence time.Duration // the timer's duration, 0 for none; belongs to the receiving goroutine
}

// attach opens a session and says hello.
func (c *client) attach(ctx context.Context, m hello) (*session, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &session{ctx: ctx, cancel: cancel, silence: attachTimeout}
	s.timer = time.AfterFunc(attachTimeout, func() { cancel(errSilent) })
	var err error
	if s.stream, err = c.service.attach(ctx); err != nil {
		s.end()
		return nil, fmt.Errorf("attach to coordinator: %w", s.cause(err))
	}
	err = s.send(m)
	if errors.Is(err, io.EOF) {
		_, err = s.stream.receive() // the reason why the stream has ended
	}
	if err != nil {
		s.end()
		return nil, s.cause(err)
	}
	return s, nil
}

func (s *session) end() {
	s.timer.Stop()
	s.cancel(nil)
}

// cause adds to an error of the stream that silence ended the session, if it did.
func (s *session) cause(err error) error {
	if errors.Is(context.Cause(s.ctx), errSilent) {
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	return err
}

// send fails with io.EOF if the stream has ended. Only the goroutine that receives may ask why: two
// receivers would wait for each other's message.
func (s *session) send(m sessionRequest) error {
	if err := s.stream.send(m); err != nil {
		return fmt.Errorf("send to coordinator: %w", err)
	}
	return nil
}

// close says bye and closes the stream; the coordinator ends it once it has read the message.
func (s *session) close(returned []lease) error {
	if err := s.send(bye{returned}); err != nil {
		return err
	}
	return s.stream.closeSend()
}

// receive waits for the next message and restarts the timer of the coordinator's silence.
func (s *session) receive() (sessionMessage, error) {
	m, err := s.stream.receive()
	if err != nil {
		return sessionMessage{}, s.cause(err)
	}
	if m.welcome != nil {
		s.silence = m.welcome.silence
	}
	if s.silence > 0 {
		s.timer.Reset(s.silence)
	} else {
		s.timer.Stop()
	}
	return m, nil
}
