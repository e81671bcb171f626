package coordinator

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/googleapis/gax-go/v2"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

// fileJob is long work on files: a merge, a manifest, a deletion. It can be repeated.
type fileJob struct {
	reporter *reporter // of the alarm that is active while it fails
	do       func(context.Context) error
	delay    time.Duration // before the next attempt; 0 before the first
	blocker  fileVersion   // a file that has to be moved away before the next attempt
}

// queueFiles queues work on files. The work of each sweep has its own alarm.
func (t *term) queueFiles(sweep string, do func(context.Context) error) {
	subject := "store"
	if e := t.lookup(sweep); e != nil {
		subject += ", " + e.design.set
	}
	t.files.put(fileJob{reporter: t.alarms.reporter(subject), do: do})
}

// fileWorker does one job after the other. A failed job waits in another queue, so that it does not
// delay those of other sweeps.
func (t *term) fileWorker(ctx context.Context) error {
	for {
		job, err := t.files.next(ctx)
		if err != nil {
			return err
		}
		if t.isBlocked(ctx, job) {
			job.delay = min(2*job.delay, maxRetryDelay)
			t.failing.put(job)
			continue
		}
		var file *foreignFileError
		switch err := job.do(ctx); {
		case err == nil:
			job.reporter.clear()
		case errors.Is(err, ledger.ErrFenced), ctx.Err() != nil:
			t.failing.put(job)
			return cmp.Or(ctx.Err(), err)
		default:
			job.reporter.raise(err)
			job.delay = min(max(2*job.delay, minRetryDelay), maxRetryDelay)
			job.blocker = fileVersion{}
			if errors.As(err, &file) {
				job.blocker = file.file
			}
			t.failing.put(job)
		}
	}
}

// isBlocked reports whether a job would fail again because the same foreign file still stands in
// the place of one that it writes. So a merge is not repeated every two seconds for it.
func (t *term) isBlocked(ctx context.Context, job fileJob) bool {
	if job.blocker.name == "" {
		return false
	}
	there, ok, err := t.statFile(ctx, job.blocker.name)
	return err == nil && ok && there.version == job.blocker.version
}

// checkActive reports whether work on the files of a sweep is to continue. In the same step it
// passes one event to the board: event, which may be nil, if the work continues, cancelled if it
// does not.
func (t *term) checkActive(ctx context.Context, sweep string, event, cancelled board.Event) (bool, error) {
	return ask(ctx, t, func() bool {
		switch {
		case t.board.Ended(sweep):
			t.step(cancelled)
			return false
		case event != nil:
			t.step(event)
		}
		return true
	})
}

// retryFiles queues failed jobs again after their delay.
func (t *term) retryFiles(ctx context.Context) error {
	for {
		jobs, err := t.failing.wait(ctx)
		if err != nil {
			return err
		}
		delay := time.Duration(0)
		for _, job := range jobs {
			delay = max(delay, job.delay)
		}
		_ = gax.Sleep(ctx, delay)
		for _, job := range jobs { // even if ctx has ended: endFiles clears their alarms
			t.files.put(job)
		}
	}
}

// endFiles clears the alarms of jobs that the term leaves undone. Call it once no worker runs; the
// next leader, which may be this process, raises its own alarms.
func (t *term) endFiles() {
	for _, job := range append(t.failing.all(), t.files.all()...) {
		job.reporter.clear()
	}
}
