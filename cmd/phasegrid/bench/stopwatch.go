package bench

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// A comparison takes at least stopwatchRounds, and more until stopwatchLong is over: the
	// machine disturbs only some of them.
	stopwatchRounds = 15
	stopwatchLong   = 2 * time.Second
	stopwatchSample = 5 * time.Millisecond
	stopwatchSlow   = time.Second // calls that take longer are measured once
)

// stopwatch measures calls of ours and theirs in turns, by the processor time of this process, in
// which other programs on the machine do not count.
type stopwatch struct {
	reset func() error // called before every call, and not measured; may be nil
	short bool
}

// versus returns the time of a call of ours in the fastest round, as disturbances only add to it,
// and the median of the ratios of theirs to ours, measured in pairs.
func (s stopwatch) versus(ours, theirs func() error) (seconds, ratio float64, err error) {
	runOurs, err := s.warm(ours)
	if err != nil {
		return 0, 0, err
	}
	runTheirs, err := s.warm(theirs)
	if err != nil {
		return 0, 0, err
	}
	var times, ratios []float64
	rounds := stopwatchRounds
	if s.short || runOurs.seconds > stopwatchSlow.Seconds() || runTheirs.seconds > stopwatchSlow.Seconds() {
		rounds = 1
	}
	for start := time.Now(); len(times) < rounds || rounds > 1 && time.Since(start) < stopwatchLong; {
		a, err := runOurs.run()
		if err != nil {
			return 0, 0, err
		}
		b := runTheirs.seconds // of the warm-up, if one call is enough
		if rounds > 1 {
			if b, err = runTheirs.run(); err != nil {
				return 0, 0, err
			}
		}
		times, ratios = append(times, a), append(ratios, b/a)
	}
	return slices.Min(times), median(ratios), nil
}

// sample is a number of calls that lasts long enough for the clock.
type sample struct {
	watch   stopwatch
	call    func() error
	calls   int
	seconds float64 // of a warm call
}

// warm warms a call up and finds how often to make it.
func (s stopwatch) warm(call func() error) (*sample, error) {
	b := &sample{watch: s, call: call, calls: 1}
	for i := range 2 {
		var err error
		if b.seconds, err = b.run(); err != nil {
			return nil, err
		}
		if i == 0 && b.seconds > stopwatchSlow.Seconds() {
			break
		}
	}
	if s.reset == nil && !s.short {
		b.calls = max(1, int(stopwatchSample.Seconds()/max(b.seconds, 1e-9)))
	}
	return b, nil
}

// run makes the calls and returns the time of one.
func (b *sample) run() (float64, error) {
	if b.watch.reset != nil {
		if err := b.watch.reset(); err != nil {
			return 0, err
		}
	}
	start, err := processorTime()
	if err != nil {
		return 0, err
	}
	for range b.calls {
		if err := b.call(); err != nil {
			return 0, err
		}
	}
	end, err := processorTime()
	return (end - start).Seconds() / float64(b.calls), err
}

// processorTime is the processor time of all threads of this process.
func processorTime() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return 0, fmt.Errorf("read the processor clock: %w", err)
	}
	return time.Duration(t.Nano()), nil
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
