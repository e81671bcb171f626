package node

import (
	"errors"
	"log/slog"
	"time"
)

const (
	// Failed attempts in a row are logged at powers of two and at multiples of logEvery, about one
	// a minute; from warnFrom on, after some five seconds, as warnings.
	logEvery = 128
	warnFrom = 16
	// stableAfter is the length from which a session counts as stable: the failures before it are
	// forgotten.
	stableAfter = 10 * time.Second
)

// attach runs a session from hello to its end, in a goroutine of its own, one at a time.
func (n *Node) attach(m hello) {
	s, err := n.client.attach(n.base, m)
	if err != nil {
		n.sessionEnded(err, rejected(err))
		return
	}
	defer s.end()
	welcomed := false
	for {
		m, err := s.receive()
		if err != nil {
			n.sessionEnded(err, !welcomed && rejected(err))
			return
		}
		if m.welcome != nil {
			welcomed = true
			n.post(attached{s, *m.welcome})
			continue
		}
		n.post(m)
	}
}

// sessionEnded reports the end of a session. A silent coordinator may stay silent for long, so the
// next attempt gets another connection.
func (n *Node) sessionEnded(err error, rejected bool) {
	if errors.Is(err, errSilent) {
		err = errors.Join(err, n.client.reconnect())
	}
	n.post(detached{err, rejected})
}

func (n *Node) attached(e attached) {
	n.session, n.since = e.session, time.Now()
	n.cfg.Metrics.attached.Set(1)
	n.cfg.Log.Info("attached to coordinator", "lease_ttl", e.welcome.leaseTTL, "held", len(n.held))
	n.interval = max(e.welcome.heartbeat, minHeartbeat)
	n.beat.Reset(n.interval)
	n.sendHeartbeat()
	if n.draining {
		n.sendDrain()
	}
}

// detached plans the next attempt to attach.
func (n *Node) detached(err error) {
	if n.session != nil && time.Since(n.since) > stableAfter {
		n.failures = 0
	}
	event := "attach failed"
	if n.session != nil {
		event = "detached from coordinator"
	}
	n.session = nil
	n.cfg.Metrics.attached.Set(0)
	n.failures++
	wait := backOff(n.failures, err)
	n.connect = time.After(wait)
	if n.failures&(n.failures-1) != 0 && n.failures%logEvery != 0 {
		return
	}
	level := slog.LevelInfo // a coordinator that starts or fails over is part of normal operation
	if n.failures >= warnFrom || n.failures == 1 && nameTaken(err) {
		level = slog.LevelWarn
	}
	n.cfg.Log.Log(n.base, level, event, "error", reason(err), "attempt", n.failures, "retry_in", wait)
}

// receive handles a message of the coordinator.
func (n *Node) receive(m sessionMessage) {
	switch {
	case m.refused != "":
		n.cfg.Log.Error("leases refused by coordinator", "reason", m.refused)
	case m.revoke != nil:
		n.revoke(m.revoke)
	case m.grant != nil:
		n.grant(m.grant)
	}
}

func (n *Node) sendHeartbeat() {
	if n.session != nil {
		n.logSend(n.session.send(heartbeat{n.capacity()}))
	}
}

// logSend logs a failed send. The receiver reports the same failure as the end of the session,
// which is what the node acts on.
func (n *Node) logSend(err error) {
	if err != nil {
		n.cfg.Log.Debug("send failed", "error", reason(err))
	}
}
