package coordinator

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/phasegrid/phasegrid/coordinator/board"
)

// alarms are the conditions that an operator has to end. An alarm has a subject and the text that
// was reported last, and is active until every reporter of its subject has cleared it. Safe for
// concurrent use.
type alarms struct {
	log     *slog.Logger
	gauge   prometheus.Gauge
	mu      sync.Mutex
	current map[string]*alarm // by subject
}

// alarm is one active alarm.
type alarm struct {
	text      string
	reporters map[*reporter]bool // that have raised it and not cleared it
	logged    string             // text of the last log line
	loggedAt  time.Time
}

// logAgainAfter is the minimum time between two log lines of an alarm whose text changes: texts
// name temporary files, which differ between attempts.
const logAgainAfter = time.Minute

// reporter is one task that raises and clears the alarm of a subject. Several tasks may share a
// subject.
type reporter struct {
	alarms  *alarms
	subject string
}

func newAlarms(log *slog.Logger, gauge prometheus.Gauge) *alarms {
	return &alarms{log: log, gauge: gauge, current: map[string]*alarm{}}
}

func (a *alarms) reporter(subject string) *reporter { return &reporter{a, subject} }

func (r *reporter) raise(err error) { r.alarms.raise(r.subject, r, board.OneLine(err.Error())) }

func (r *reporter) clear() { r.alarms.clear(r.subject, r) }

// raise sets the text of an alarm. It is logged when the alarm begins, and later if the text has
// changed.
func (a *alarms) raise(subject string, by *reporter, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	active := a.current[subject]
	if active == nil {
		active = &alarm{reporters: map[*reporter]bool{}}
		a.current[subject] = active
	}
	if active.logged != text && time.Since(active.loggedAt) >= logAgainAfter {
		a.log.Error("alarm raised", "subject", subject, "text", text)
		active.logged, active.loggedAt = text, time.Now()
	}
	active.text, active.reporters[by] = text, true
	a.gauge.Set(float64(len(a.current)))
}

// clear withdraws what a reporter raised, and ends the alarm with the last of them.
func (a *alarms) clear(subject string, by *reporter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	active := a.current[subject]
	if active == nil {
		return
	}
	if delete(active.reporters, by); len(active.reporters) > 0 {
		return
	}
	a.log.Info("alarm cleared", "subject", subject)
	delete(a.current, subject)
	a.gauge.Set(float64(len(a.current)))
}

// list returns the active alarms, sorted by subject. A full store may raise one for each of
// thousands of sweeps, and every answer about a sweep carries the list, so it is bounded.
func (a *alarms) list() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var texts []string
	for subject, active := range a.current {
		texts = append(texts, subject+": "+active.text)
	}
	slices.Sort(texts)
	if more := len(texts) - maxListed; more > 0 {
		texts = append(texts[:maxListed], fmt.Sprintf("further: %d alarms; see the log of the leader", more))
	}
	return texts
}
