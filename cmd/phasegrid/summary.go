package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/dustin/go-humanize"

	"github.com/phasegrid/phasegrid/results"
)

// optimizerSummary summarizes the points of one optimizer.
type optimizerSummary struct {
	optimizer                         string
	points, diverged, failed, invalid int64
	alignment                         medianOf // of signal_alignment, where it is not null
	stepsTo90                         medianOf // of steps_to_90; censored runs are infinite
}

// runView is the result of run: a result set and its summary by optimizer.
type runView struct {
	Folder     string        `json:"folder" yaml:"folder"`
	Optimizers []summaryView `json:"optimizers" yaml:"optimizers"`
}

type summaryView struct {
	Optimizer       string   `json:"optimizer" yaml:"optimizer"`
	Points          int64    `json:"points" yaml:"points"`
	Diverged        int64    `json:"diverged" yaml:"diverged"`
	Failed          int64    `json:"failed" yaml:"failed"`
	Invalid         int64    `json:"invalid" yaml:"invalid"`
	SignalAlignment *float64 `json:"median_signal_alignment" yaml:"median_signal_alignment"` // null if unknown
	StepsTo90       *float64 `json:"median_steps_to_90" yaml:"median_steps_to_90"`           // null if censored
}

func viewRun(folder string, summaries []*optimizerSummary) runView {
	finite := func(x float64) *float64 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return &x
	}
	v := runView{Folder: folder, Optimizers: []summaryView{}}
	for _, s := range summaries {
		v.Optimizers = append(v.Optimizers, summaryView{s.optimizer, s.points, s.diverged, s.failed, s.invalid,
			finite(s.alignment.value()), finite(s.stepsTo90.value())})
	}
	return v
}

// summarize summarizes the points of a result set by optimizer, in the order of first appearance.
func summarize(ctx context.Context, set *results.Set) ([]*optimizerSummary, error) {
	columns := []string{"status", "signal_alignment", "steps_to_90"}
	named := slices.ContainsFunc(
		set.Schema().Parameters(),
		func(c results.Column) bool { return c.Name == "optimizer" },
	)
	if named {
		columns = append(columns, "optimizer")
	}
	var order []*optimizerSummary
	byName := map[string]*optimizerSummary{}
	for row, err := range set.Scan(ctx, results.Points, columns...) {
		if err != nil {
			return nil, err
		}
		name := "all"
		if named {
			name = row[3].Text
		}
		s := byName[name]
		if s == nil {
			s = &optimizerSummary{optimizer: name}
			byName[name] = s
			order = append(order, s)
		}
		s.add(row[0].Text, row[1], row[2])
	}
	return order, nil
}

func (s *optimizerSummary) add(status string, alignment, stepsTo90 results.Cell) {
	s.points++
	switch status {
	case results.StatusDiverged:
		s.diverged++
	case results.StatusFailed:
		s.failed++
	case results.StatusInvalid:
		s.invalid++
		return
	}
	if !alignment.Null {
		s.alignment.add(alignment.Float)
	}
	if stepsTo90.Null {
		s.stepsTo90.add(math.Inf(1))
	} else {
		s.stepsTo90.add(float64(stepsTo90.Int))
	}
}

// printSummary writes the table, with columns of failed and invalid points if there are any.
func printSummary(w io.Writer, summaries []*optimizerSummary) {
	broken := slices.ContainsFunc(summaries, func(s *optimizerSummary) bool { return s.failed+s.invalid > 0 })
	fmt.Fprint(w, "OPTIMIZER\tPOINTS\tDIVERGED\t")
	if broken {
		fmt.Fprint(w, "FAILED\tINVALID\t")
	}
	fmt.Fprintln(w, "MEDIAN SIGNAL ALIGNMENT\tMEDIAN STEPS TO 90%")
	for _, s := range summaries {
		fmt.Fprintf(w, "%s\t%s\t%s\t", s.optimizer, humanize.Comma(s.points), humanize.Comma(s.diverged))
		if broken {
			fmt.Fprintf(w, "%s\t%s\t", humanize.Comma(s.failed), humanize.Comma(s.invalid))
		}
		fmt.Fprintf(w, "%s\t%s\n", number(s.alignment.value(), 4), number(s.stepsTo90.value(), 0))
	}
}

func number(x float64, decimals int) string {
	switch {
	case math.IsNaN(x):
		return "-"
	case math.IsInf(x, 0):
		return "never"
	}
	return strconv.FormatFloat(x, 'f', decimals, 64)
}

// maxKept bounds the number of values that a median keeps.
const maxKept = 1 << 20

// medianOf is the median of a stream in bounded memory: exact up to maxKept values, then of every
// second value, every fourth, and so on.
type medianOf struct {
	kept          []float64
	stride, count int
}

func (m *medianOf) add(x float64) {
	m.stride = max(m.stride, 1)
	if m.count++; m.count%m.stride != 0 {
		return
	}
	if m.kept = append(m.kept, x); len(m.kept) < maxKept {
		return
	}
	for i := range len(m.kept) / 2 {
		m.kept[i] = m.kept[2*i+1]
	}
	m.kept = m.kept[:len(m.kept)/2]
	m.stride *= 2
}

// value is the lower median; NaN if there is no value.
func (m *medianOf) value() float64 {
	if len(m.kept) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(m.kept))
	return sorted[(len(sorted)-1)/2]
}
