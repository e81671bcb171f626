package local

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// alarmTimeout is how long an alarm may last before the run gives up: a full disk stays full.
const alarmTimeout = 3 * time.Second

// alarmError is an alarm that only the user can end.
type alarmError struct{ text string }

func (e alarmError) Error() string {
	hint := "fix that, then run the same command to resume"
	if strings.Contains(e.text, syscall.ENOSPC.Error()) {
		hint = "free some space, then run the same command to resume"
	}
	return fmt.Sprintf("%s; finished work is kept; %s", e.text, hint)
}

// alarmWatch gives up when alarms last. It has a timer of its own: while nothing else changes, see
// is not called. One goroutine calls see and stop.
type alarmWatch struct {
	giveUp context.CancelCauseFunc
	timer  *time.Timer // nil without an alarm

	mu     sync.Mutex
	alarms []string // as last seen
}

func (w *alarmWatch) see(s client.Sweep) {
	w.mu.Lock()
	w.alarms = s.Progress.Alarms
	w.mu.Unlock()
	switch {
	case len(s.Progress.Alarms) == 0:
		w.stop()
	case w.timer == nil:
		w.timer = time.AfterFunc(alarmTimeout, w.expire)
	}
}

func (w *alarmWatch) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.alarms) > 0 { // else the last alarm ended at this moment
		w.giveUp(alarmError{strings.Join(w.alarms, "; ")})
	}
}

func (w *alarmWatch) stop() {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}
