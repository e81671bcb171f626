package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestBenchMeasures runs every bench in small: each must give figures, above 0 and with what they
// are compared with.
func TestBenchMeasures(t *testing.T) {
	t.Setenv(asProgram, "1") // some start processes
	for _, b := range benches {
		t.Run(b.name, func(t *testing.T) {
			var stdout bytes.Buffer
			o := benchOptions{
				Output:  "json",
				Benches: []string{b.name},
				Python:  "python3",
				short:   true,
				stdout:  &stdout,
				stderr:  io.Discard,
				log:     slog.New(slog.NewTextHandler(t.Output(), nil)),
			}
			if err := runBench(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			var report benchReport
			if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
				t.Fatal(err)
			}
			if m := report.Machine; m.CPU == "" || m.Cores < 1 || m.Kernel == "" || m.Go == "" || m.Revision == "" {
				t.Errorf("machine %+v", m)
			}
			if len(report.Figures) < 3 {
				t.Fatalf("%d figures", len(report.Figures))
			}
			for _, f := range report.Figures {
				if f.Bench != b.name || f.Name == "" || f.Unit == "" || !(f.Value > 0) ||
					(f.Ratio > 0) != (f.Baseline != "") {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

func TestBenchCommandLine(t *testing.T) {
	for _, args := range [][]string{
		{"bench", "nothing"}, {"bench", "schedule", "--nodes", "0"}, {"bench", "merge", "--rows", "-1"}, {"bench", "schedule", "--store", ":"},
		{"bench", "all", "-o", "csv"},
	} {
		if got := phasegrid(t, args...); got.code != exitUsage {
			t.Errorf("%v: exit code %d, %s", args, got.code, got.stderr)
		}
	}
}

func TestBenchTargets(t *testing.T) {
	r := benchReport{bench: "solver"}
	r.add(benchFigure{Name: "a", Value: 2, Unit: "ns", Ratio: 4, Baseline: "b"}, atMost(1.5), ratioAtLeast(4))
	r.add(benchFigure{Name: "c", Value: 3000, Unit: "shards/s"}, atLeast(2000))
	if got := r.Figures[0].targets(); got != "<= 1.5 (missed), >= 4x" {
		t.Errorf("targets %q", got)
	}
	if got := r.Figures[1].targets(); got != ">= 2000" {
		t.Errorf("targets %q", got)
	}
	var table strings.Builder
	r.print(&table)
	if !strings.Contains(table.String(), "c\t3000\tshards/s\t-\t-\t>= 2000") {
		t.Errorf("table\n%s", table.String())
	}
}

// Both are measured, and theirs has ten times the work.
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
