package coordinator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

// fileTerm is a term with alarms and queues of files only.
func fileTerm() *term {
	return &term{
		alarms:  newAlarms(slog.New(slog.DiscardHandler), newMetrics(prometheus.NewRegistry()).alarms),
		files:   newQueue[fileJob](),
		failing: newQueue[fileJob](),
	}
}

// TestAlarmEndsWithTheTermThatRaisedIt: a leader that loses its leadership while its store is full
// may lead again once there is space.
func TestAlarmEndsWithTheTermThatRaisedIt(t *testing.T) {
	for name, last := range map[string]error{
		"context ended": errors.New("full"), "fenced": ledger.ErrFenced, "healed": nil,
	} {
		c := fileTerm()
		ctx, cancel := context.WithCancel(t.Context())
		tries := 0
		err := c.retry(ctx, "store", func() error {
			if tries++; tries == 1 {
				return errors.New("full")
			}
			if len(c.alarms.list()) != 1 {
				t.Errorf("%s: no alarm while the store is full", name)
			}
			if errors.Is(last, ledger.ErrFenced) || last == nil {
				return last
			}
			cancel()
			return last
		})
		cancel()
		if (err == nil) != (last == nil) || len(c.alarms.list()) != 0 {
			t.Errorf("%s: retry = %v, alarms %v", name, err, c.alarms.list())
		}
	}
}

// TestAlarmLastsWhileAnyReporterFails: a task that succeeds does not clear the alarm of one that
// fails.
func TestAlarmLastsWhileAnyReporterFails(t *testing.T) {
	full := errors.New("full")
	c := fileTerm()
	// once fails at first, then succeeds.
	once := func() func() error {
		tries := 0
		return func() error {
			if tries++; tries == 1 {
				return full
			}
			return nil
		}
	}
	tries := 0
	err := c.retry(t.Context(), "etcd", func() error {
		if tries++; tries == 1 {
			return full
		}
		if err := c.retry(t.Context(), "etcd", once()); err != nil {
			t.Error(err)
		}
		if len(c.alarms.list()) != 1 {
			t.Errorf("one of two can write again, and the alarms are %v", c.alarms.list())
		}
		return nil
	})
	if err != nil || len(c.alarms.list()) != 0 {
		t.Errorf("both can write again: %v, alarms %v", err, c.alarms.list())
	}
}

// TestAlarmOfFilesLastsWhileAnyFails: a job that succeeds does not clear the alarm of another job
// of the sweep.
func TestAlarmOfFilesLastsWhileAnyFails(t *testing.T) {
	c := fileTerm()
	ctx, cancel := context.WithCancel(t.Context())
	failed := func(do func(context.Context) error) {
		job := fileJob{reporter: c.alarms.reporter("store, small"), do: do, delay: minRetryDelay}
		job.reporter.raise(errors.New("full"))
		c.files.put(job)
	}
	failed(func(context.Context) error { return errors.New("full") })
	failed(func(context.Context) error { return nil })
	c.files.put(fileJob{reporter: c.alarms.reporter("store"), do: func(context.Context) error {
		if len(c.alarms.list()) != 1 {
			t.Errorf("one of two jobs fails, and the alarms are %v", c.alarms.list())
		}
		cancel()
		return nil
	}})
	if err := c.fileWorker(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("fileWorker = %v", err)
	}
	if c.endFiles(); len(c.alarms.list()) != 0 {
		t.Errorf("alarms after the term: %v", c.alarms.list())
	}
}

// TestAlarmIsNotLoggedWithEachTry: the text names a file that differs between attempts.
func TestAlarmIsNotLoggedWithEachTry(t *testing.T) {
	var log bytes.Buffer
	a := newAlarms(slog.New(slog.NewTextHandler(&log, nil)), newMetrics(prometheus.NewRegistry()).alarms)
	reporter := a.reporter("store")
	for i := range 10 {
		reporter.raise(fmt.Errorf("delete .deleting-%d: full", i))
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
		t.Errorf("logged %d times: %s", n, &log)
	}
	if list := a.list(); len(list) != 1 || !strings.Contains(list[0], ".deleting-9") {
		t.Errorf("the alarms are %q", list)
	}
	reporter.clear()
	reporter.raise(errors.New("full"))
	if n := strings.Count(log.String(), "level=ERROR"); n != 2 {
		t.Errorf("an alarm that begins again is not logged: %s", &log)
	}
}

// TestAlarmsOfThousandsOfSweeps: a full store raises an alarm for each sweep with a part to merge.
// They are listed in an answer that clients accept, which is at most 4 MiB.
func TestAlarmsOfThousandsOfSweeps(t *testing.T) {
	c := fileTerm()
	all := make([]*reporter, 10_000)
	for i := range all {
		all[i] = c.alarms.reporter(fmt.Sprintf("store, sweep-%05d", i))
		all[i].raise(errors.New(strings.Repeat("no space left on device; ", 20)))
	}
	c.alarms.reporter("etcd").raise(errors.New("no leader"))
	m := sweepToProto(&design{}, board.Progress{}, c.alarms.list())
	if n := proto.Size(m); n > 1<<20 || !strings.HasPrefix(m.GetProgress().GetAlarms()[0], "etcd: ") {
		t.Errorf("one sweep is an answer of %d bytes, first %.60q", n, m.GetProgress().GetAlarms())
	}
	details := (&notLeaderError{alarms: c.alarms.list()}).details()
	v := details[len(details)-1].(*errdetails.PreconditionFailure).GetViolations()
	if v[len(v)-1].GetSubject() != "further" {
		t.Errorf("who does not lead does not say that there are more alarms; the last is %v", v[len(v)-1])
	}
	for _, one := range all {
		one.clear()
	}
	if left := c.alarms.list(); len(left) != 1 {
		t.Errorf("afterwards there are %v", left)
	}
}
