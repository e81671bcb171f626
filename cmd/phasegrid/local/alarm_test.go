package local

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// TestAlarmThatLasts: a run gives up on an alarm even if no further change is seen.
func TestAlarmThatLasts(t *testing.T) {
	alarm := client.Sweep{Progress: client.Progress{Alarms: []string{"spool: no space left on device"}}}
	for _, c := range []struct {
		name    string
		seen    []client.Sweep // one a second
		wait    time.Duration
		givenUp bool
	}{
		{"nothing more is seen", []client.Sweep{alarm}, alarmTimeout + time.Second, true},
		{"it goes in time", []client.Sweep{alarm, {}}, 2 * alarmTimeout, false},
		{"another one begins", []client.Sweep{alarm, {}, alarm}, alarmTimeout - time.Second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, giveUp := context.WithCancelCause(t.Context())
				defer giveUp(nil)
				w := alarmWatch{giveUp: giveUp}
				defer w.stop()
				for i, v := range c.seen {
					if i > 0 {
						time.Sleep(time.Second)
					}
					w.see(v)
				}
				time.Sleep(c.wait)
				if givenUp := errors.As(context.Cause(ctx), new(alarmError)); givenUp != c.givenUp {
					t.Errorf("given up: %v, want %v", givenUp, c.givenUp)
				}
			})
		})
	}
}
