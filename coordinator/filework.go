package coordinator

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

// fileJob is work on files that takes long: a merge, a manifest, a deletion. It may be done again.
type fileJob struct {
	reporter *reporter // told while it fails
	do       func(context.Context) error
	delay    time.Duration // before it is tried again; 0 if it has not failed
}

// queueFiles leaves work on files to the workers. The work of a sweep has an alarm of its own.
func (t *term) queueFiles(sweep string, do func(context.Context) error) {
	subject := "store"
	if e := t.lookup(sweep); e != nil {
		subject += ", " + e.design.set
	}
	t.files.put(fileJob{reporter: t.alarms.reporter(subject), do: do})
}

// fileWorker does one job after the other. One that fails waits for its next turn elsewhere: what
// is wrong with one sweep's files holds up no other's.
func (t *term) fileWorker(ctx context.Context) error {
	for {
		job, err := t.files.next(ctx)
		if err != nil {
			return err
		}
		switch err := job.do(ctx); {
		case err == nil:
			job.reporter.clear()
		case errors.Is(err, ledger.ErrFenced), ctx.Err() != nil:
			t.failing.put(job)
			return cmp.Or(ctx.Err(), err)
		default:
			job.reporter.raise(board.OneLine(err.Error()))
			job.delay = min(max(2*job.delay, minRetryDelay), maxRetryDelay)
			t.failing.put(job)
		}
	}
}

// wanted asks whether work on a sweep's files is to go on. In the same moment the board hears that
// it does, by event unless that is nil, or that it does not, by givenUp.
func (t *term) checkActive(ctx context.Context, sweep string, event, givenUp board.Event) (bool, error) {
	return ask(ctx, t, func() bool {
		switch {
		case t.board.Ended(sweep):
			t.step(givenUp)
			return false
		case event != nil:
			t.step(event)
		}
		return true
	})
}

// retryFiles gives failed jobs back to the workers when they have waited.
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
		pause(ctx, delay)
		for _, job := range jobs {
			t.files.put(job)
		}
	}
}

// endFiles ends the alarms of jobs that the term left undone, once nobody does any: the next leader
// has its own trouble, and this process may be it.
func (t *term) endFiles() {
	for _, job := range append(t.failing.all(), t.files.all()...) {
		job.reporter.clear()
	}
}
