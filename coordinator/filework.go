package coordinator

import (
	"context"
	"errors"
	"time"
)

// fileJob is work on files that takes long: a merge, a manifest, a deletion. It may be done again.
type fileJob struct {
	subject string // of the alarm that is up while it fails
	do      func(context.Context) error
	delay   time.Duration // before it is tried again; 0 if it has not failed
}

// queueFiles leaves work on files to the workers. The work of a sweep has an alarm of its own.
func (t *term) queueFiles(sweep string, do func(context.Context) error) {
	subject := "store"
	if e := t.lookup(sweep); e != nil {
		subject += ", " + e.set
	}
	t.files.put(fileJob{subject: subject, do: do})
}

// fileWorker does one job after the other. One that fails waits for its next turn elsewhere: what is wrong with one sweep's files holds
// up no other's.
func (t *term) fileWorker(ctx context.Context) error {
	for {
		job, err := t.files.next(ctx)
		if err != nil {
			return err
		}
		switch err := job.do(ctx); {
		case err == nil && job.delay > 0:
			t.alarms.clear(job.subject)
		case err == nil:
		case errors.Is(err, ErrFenced):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		default:
			t.alarms.raise(job.subject, oneLine(err.Error()))
			job.delay = min(max(2*job.delay, minRetryDelay), maxRetryDelay)
			t.failing.put(job)
		}
	}
}

// wanted asks whether work on a sweep's files is to go on. In the same moment the board hears that it does, by event unless
// that is nil, or that it does not, by givenUp.
func (t *term) wanted(ctx context.Context, sweep string, event, givenUp Event) (bool, error) {
	return ask(ctx, t, func() bool {
		switch {
		case t.board.ended(sweep):
			t.step(givenUp)
			return false
		case event != nil:
			t.step(event)
		}
		return true
	})
}

// retryFiles gives failed jobs back to the workers when they have waited, and ends their alarms with the term: the next leader has its own
// trouble, and this process may be it.
func (t *term) retryFiles(ctx context.Context) error {
	subjects := map[string]bool{}
	defer func() {
		for subject := range subjects {
			t.alarms.clear(subject)
		}
	}()
	for {
		jobs, err := t.failing.wait(ctx)
		if err != nil {
			return err
		}
		delay := time.Duration(0)
		for _, job := range jobs {
			subjects[job.subject] = true
			delay = max(delay, job.delay)
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return ctx.Err()
		}
		for _, job := range jobs {
			t.files.put(job)
		}
	}
}
