package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// alarmPatience is how long an alarm of the local cluster may last before run gives up: a disk that
// is full stays full.
const alarmPatience = 3 * time.Second

// alarmError is a trouble that run cannot work around.
type alarmError struct{ text string }

func (e alarmError) Error() string {
	mend := "once that is mended"
	if strings.Contains(e.text, syscall.ENOSPC.Error()) {
		mend = "once there is room"
	}
	return fmt.Sprintf("%s; what is finished is kept: %s, the same command goes on", e.text, mend)
}

// alarmWatch gives up when alarms last. It counts by itself: while nothing else changes, nothing
// more is to be seen.
type alarmWatch struct {
	giveUp context.CancelCauseFunc
	timer  *time.Timer // nil without an alarm

	mu     sync.Mutex
	alarms []string // the last that were seen
}

func (w *alarmWatch) see(v client.Sweep) {
	w.mu.Lock()
	w.alarms = v.Progress.Alarms
	w.mu.Unlock()
	switch {
	case len(v.Progress.Alarms) == 0:
		w.stop()
	case w.timer == nil:
		w.timer = time.AfterFunc(alarmPatience, w.end)
	}
}

func (w *alarmWatch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.alarms) > 0 { // else the last one went just now
		w.giveUp(alarmError{strings.Join(w.alarms, "; ")})
	}
}

func (w *alarmWatch) stop() {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}
