package coordinator

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// alarms are the troubles of the cluster that people must see to. Each has a subject and a text,
// the last that anybody told, and is over when nobody with its subject is in trouble any more. Safe
// for concurrent use.
type alarms struct {
	log     *slog.Logger
	gauge   prometheus.Gauge
	mu      sync.Mutex
	current map[string]*alarm // by subject
}

type alarm struct {
	text      string
	reporters map[*reporter]bool // those who are in trouble
	logged    string             // the last text that was logged, and when
	at        time.Time
}

// logAgainAfter is how long an alarm whose text changes is not logged again. Texts name temporary
// files and the like, which are others with each try.
const logAgainAfter = time.Minute

// trouble is what one task has to tell about a subject that others may tell about too.
type reporter struct {
	alarms  *alarms
	subject string
}

func newAlarms(log *slog.Logger, gauge prometheus.Gauge) *alarms {
	return &alarms{log: log, gauge: gauge, current: map[string]*alarm{}}
}

func (a *alarms) reporter(subject string) *reporter { return &reporter{a, subject} }

func (t *reporter) raise(text string) { t.alarms.raise(t.subject, t, text) }

func (t *reporter) clear() { t.alarms.clear(t.subject, t) }

// tell sets a subject's text. It is logged when the alarm begins, and where it is another one, now
// and then.
func (a *alarms) raise(subject string, by *reporter, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.current[subject]
	if now == nil {
		now = &alarm{reporters: map[*reporter]bool{}}
		a.current[subject] = now
	}
	if now.logged != text && time.Since(now.at) >= logAgainAfter {
		a.log.Error("alarm", "subject", subject, "text", text)
		now.logged, now.at = text, time.Now()
	}
	now.text, now.reporters[by] = text, true
	a.gauge.Set(float64(len(a.current)))
}

// end takes back what a task told, and with the last of them the alarm.
func (a *alarms) clear(subject string, by *reporter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.current[subject]
	if now == nil {
		return
	}
	if delete(now.reporters, by); len(now.reporters) > 0 {
		return
	}
	a.log.Info("alarm is over", "subject", subject)
	delete(a.current, subject)
	a.gauge.Set(float64(len(a.current)))
}

// list are the present alarms, by subject. A store that is full may be one for each of thousands of
// sweeps, and every answer about a sweep carries the list.
func (a *alarms) list() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var texts []string
	for subject, now := range a.current {
		texts = append(texts, subject+": "+now.text)
	}
	slices.Sort(texts)
	if more := len(texts) - maxListed; more > 0 {
		texts = append(texts[:maxListed], fmt.Sprintf("further: %d alarms that the leader's log tells", more))
	}
	return texts
}
