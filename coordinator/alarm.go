package coordinator

import (
	"log/slog"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// alarms are the troubles of the cluster that people must see to. Each has a subject; a subject has one text at a time.
// Safe for concurrent use.
type alarms struct {
	log     *slog.Logger
	gauge   prometheus.Gauge
	mu      sync.Mutex
	current map[string]string
}

func newAlarms(log *slog.Logger, gauge prometheus.Gauge) *alarms {
	return &alarms{log: log, gauge: gauge, current: map[string]string{}}
}

// raise sets a subject's text.
func (a *alarms) raise(subject, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current[subject] != text {
		a.log.Error("alarm", "subject", subject, "text", text)
	}
	a.current[subject] = text
	a.gauge.Set(float64(len(a.current)))
}

// clear ends a subject's alarm.
func (a *alarms) clear(subject string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.current[subject]; ok {
		a.log.Info("alarm is over", "subject", subject)
		delete(a.current, subject)
		a.gauge.Set(float64(len(a.current)))
	}
}

// list are the present alarms, by subject.
func (a *alarms) list() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var texts []string
	for subject, text := range a.current {
		texts = append(texts, subject+": "+text)
	}
	slices.Sort(texts)
	return texts
}
