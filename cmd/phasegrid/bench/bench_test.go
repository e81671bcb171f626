package bench

import (
	"strings"
	"testing"
	"time"
)

func TestTargets(t *testing.T) {
	r := Report{bench: "solver"}
	r.add(Figure{Name: "a", Value: 2, Unit: "ns", Ratio: 4, Baseline: "b"}, atMost(1.5), ratioAtLeast(4))
	r.add(Figure{Name: "c", Value: 3000, Unit: "shards/s"}, atLeast(2000))
	if got := r.Figures[0].targets(); got != "<= 1.5 (missed), >= 4x" {
		t.Errorf("targets %q", got)
	}
	if got := r.Figures[1].targets(); got != ">= 2000" {
		t.Errorf("targets %q", got)
	}
	var table strings.Builder
	r.Print(&table)
	if !strings.Contains(table.String(), "c\t3000\tshards/s\t-\t-\t>= 2000") {
		t.Errorf("table\n%s", table.String())
	}
}

// TestStopwatchTakesTurns measures two calls, of which the second does ten times the work.
func TestStopwatchTakesTurns(t *testing.T) {
	spin := func(d time.Duration) func() error {
		return func() error {
			for start := time.Now(); time.Since(start) < d; {
			}
			return nil
		}
	}
	seconds, ratio, err := stopwatch{}.versus(spin(time.Millisecond), spin(10*time.Millisecond))
	if err != nil || !(seconds > 0) || !(ratio > 1) {
		t.Errorf("%v s, ratio %v, %v", seconds, ratio, err)
	}
}
