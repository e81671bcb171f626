package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestPlanWarnsOfMetricsThatCostMore plans dense runs of gd, whose metrics take a polar factor and
// an eigenvalue decomposition and whose steps take neither.
func TestPlanWarnsOfMetricsThatCostMore(t *testing.T) {
	for record, want := range map[string]bool{"{every: 1}": true, "{every: 1000}": false} {
		file := writeSweep(t, fmt.Sprintf(`name: metrics
fixed: {covariance: spiked, anisotropy: 3, init: gaussian, representation: dense, dimension: 60, optimizer: gd,
  init_scale: 0.001, learning_rate: 0.001, steps: 100000}
record: %s
`, record))
		got := phasegrid(t, "plan", file, "-o", "json")
		if got.code != exitDone {
			t.Fatal(got.stderr)
		}
		warned := strings.Contains(got.stderr, "warning: record: metrics cost more than the steps") &&
			strings.Contains(got.stderr, "record fewer steps")
		if warned != want {
			t.Errorf("record %s: %q", record, got.stderr)
		}
		var view planView
		if err := json.Unmarshal([]byte(got.stdout), &view); err != nil {
			t.Fatal(err)
		}
		if (view.MetricSeconds > view.StepSeconds) != want || !(view.Seconds > 0) || !(view.StepSeconds > 0) {
			t.Errorf(
				"record %s: %v s of steps, %v s of metrics, %v s in all",
				record,
				view.StepSeconds,
				view.MetricSeconds,
				view.Seconds,
			)
		}
	}
}
