package main

import (
	"encoding/json"
	"testing"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/bench"
)

// TestBenchMeasures runs small versions of every measurement: each must return figures above 0, and
// a baseline with every ratio.
func TestBenchMeasures(t *testing.T) {
	t.Setenv(asProgram, "1") // some start processes
	for _, name := range []string{bench.Solver, bench.Scheduling, bench.Merging, bench.Planning} {
		t.Run(name, func(t *testing.T) {
			got := phasegrid(t, "bench", name, "--short", "-o", "json")
			if got.code != exitDone {
				t.Fatal(got.stderr)
			}
			var report bench.Report
			if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
				t.Fatal(err)
			}
			if m := report.Machine; m.CPU == "" || m.Cores < 1 || m.Kernel == "" || m.Go == "" || m.Revision == "" {
				t.Errorf("machine %+v", m)
			}
			if len(report.Figures) < 3 {
				t.Fatalf("%d figures", len(report.Figures))
			}
			for _, f := range report.Figures {
				if f.Bench != name || f.Name == "" || f.Unit == "" || !(f.Value > 0) ||
					(f.Ratio > 0) != (f.Baseline != "") {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

func TestBenchCommandLine(t *testing.T) {
	for _, args := range [][]string{
		{"bench", "nothing"}, {"bench", "schedule", "--nodes", "0"}, {"bench", "merge", "--rows", "-1"},
		{"bench", "schedule", "--store", ":"},
		{"bench", "all", "-o", "csv"},
	} {
		if got := phasegrid(t, args...); got.code != exitUsage {
			t.Errorf("%v: exit code %d, %s", args, got.code, got.stderr)
		}
	}
}
