package main

import (
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
)

// TestSummaryCountsCensoredRunsAsLaterThanAllOthers: a median that falls on a censored run is later
// than the shortest of them; a diverged run is censored and has no part in the median of the spike.
func TestSummaryCountsCensoredRunsAsLaterThanAllOthers(t *testing.T) {
	never := results.Cell{Null: true}
	step := func(k int64) results.Cell { return results.Cell{Int: k} }
	spike := func(x float64) results.Cell { return results.Cell{Float: x} }

	gd := &optimizerSummary{optimizer: "gd", slowest: 0.01, fastest: 0.1}
	gd.add(results.StatusOK, spike(0.9), step(4), 100)
	gd.add(results.StatusOK, spike(0.7), never, 1500)
	gd.add(results.StatusDiverged, spike(0.1), never, 1200)
	gd.add(results.StatusInvalid, never, never, 0)
	specgd := &optimizerSummary{optimizer: "specgd", slowest: 0.02, fastest: 0.02}
	specgd.add(results.StatusOK, spike(0.01), step(200), 1000)
	specgd.add(results.StatusOK, spike(0.02), step(1100), 2000)
	specgd.add(results.StatusOK, spike(0.03), never, 1000)

	var b strings.Builder
	printSummary(&b, []*optimizerSummary{gd, specgd})
	want := strings.Join([]string{
		"OPTIMIZER\tPOINTS\tDIVERGED\tFAILED\tINVALID\tMEDIAN PEAK SPIKE ALIGNMENT\tMEDIAN STEPS TO HOLD 90%",
		"gd\t4\t1\t0\t1\t0.7000\t>1,200",
		"specgd\t3\t0\t0\t0\t0.0200\t1,100",
		"",
		"Learning rates: gd 0.01..0.1, specgd 0.02. Steps of different learning rates are not equal times.",
		"",
	}, "\n")
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	view := viewRun("set", []*optimizerSummary{gd, specgd}).Optimizers
	if view[0].Held != nil || view[0].Censored != 2 || *view[1].Held != 1100 || view[1].Censored != 1 {
		t.Errorf("got %+v, want a null median with 2 censored runs, then 1100 with 1", view)
	}
}

// TestDivergedRunsDoNotLowerTheHorizon: a run that diverged at step 4 of 1,500 says nothing about
// step 5; one that was stopped says nothing beyond its last step.
func TestDivergedRunsDoNotLowerTheHorizon(t *testing.T) {
	steps := results.Cell{Int: 1500}
	s := &optimizerSummary{}
	for _, run := range []struct {
		status string
		ran    int64
	}{{results.StatusDiverged, 4}, {results.StatusFailed, 0}, {results.StatusOK, 1500}} {
		ran := results.Cell{Int: run.ran}
		s.add(run.status, results.Cell{}, results.Cell{Null: true}, horizonOf(run.status, ran, steps))
	}
	if got := s.heldText(); got != ">1,500" {
		t.Errorf("got %s, want >1,500", got)
	}
	if got := horizonOf(results.StatusOK, results.Cell{Int: 900}, steps); got != 900 {
		t.Errorf("got %d for a run that was stopped, want 900", got)
	}
	s = &optimizerSummary{}
	s.add(results.StatusDiverged, results.Cell{}, results.Cell{Null: true},
		horizonOf(results.StatusDiverged, results.Cell{Int: 4}, results.Cell{Null: true}))
	if got := s.heldText(); got != "-" {
		t.Errorf("got %s without known steps, want -", got)
	}
}

// TestSummaryOfFewRunsThatAreOK: a failed run is censored whatever its row has, and there is no
// median of a metric where fewer than half of the runs are ok.
func TestSummaryOfFewRunsThatAreOK(t *testing.T) {
	s := &optimizerSummary{optimizer: "gd"}
	s.add(results.StatusOK, results.Cell{Float: 0.9}, results.Cell{Int: 4}, 100)
	s.add(results.StatusFailed, results.Cell{Null: true}, results.Cell{Int: 3}, 50)
	if view := viewRun("", []*optimizerSummary{s}).Optimizers[0]; *view.PeakSpike != 0.9 || *view.Held != 4 ||
		view.Censored != 1 {
		t.Errorf("got %+v, want the medians of the run that is ok", view)
	}
	s.add(results.StatusDiverged, results.Cell{Float: 0.5}, results.Cell{Null: true}, 20)
	if view := viewRun("", []*optimizerSummary{s}).Optimizers[0]; view.PeakSpike != nil || view.Held != nil ||
		view.Censored != 2 {
		t.Errorf("got %+v, want no medians", view)
	}
}
