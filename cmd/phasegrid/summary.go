package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/phasegrid/phasegrid/results"
)

// optimizerSummary summarizes the points of one optimizer, with the statistics that the views have:
// a run that does not hold 90 % alignment to its end, or diverges, is censored, later than all
// others; other metrics are over the runs that are ok.
type optimizerSummary struct {
	optimizer                         string
	points, diverged, failed, invalid int64
	peakSpike                         medianOf // of peak_spike_alignment
	held                              medianOf // of held_90_step; censored runs are infinite
	censored                          int64
	horizon                           int64 // shortest one of a censored run; 0 if none is known
	slowest, fastest                  float64
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
	PeakSpike       *float64 `json:"median_peak_spike_alignment" yaml:"median_peak_spike_alignment"` // null if unknown
	Held            *float64 `json:"median_held_90_step" yaml:"median_held_90_step"`                 // null if censored
	Censored        int64    `json:"held_90_step_censored" yaml:"held_90_step_censored"`
	MinLearningRate *float64 `json:"min_learning_rate,omitempty" yaml:"min_learning_rate,omitempty"`
	MaxLearningRate *float64 `json:"max_learning_rate,omitempty" yaml:"max_learning_rate,omitempty"`
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
		v.Optimizers = append(v.Optimizers, summaryView{
			s.optimizer, s.points, s.diverged, s.failed, s.invalid,
			finite(s.spike()), finite(s.held.value()), s.censored, finite(s.slowest), finite(s.fastest),
		})
	}
	return v
}

// summarize summarizes the points of a result set by optimizer, in the order of first appearance.
func summarize(ctx context.Context, set *results.Set) ([]*optimizerSummary, error) {
	columns := []string{"status", "peak_spike_alignment", "held_90_step", "steps_run"}
	position := func(parameter string) int {
		if !slices.ContainsFunc(set.Schema().Parameters(), func(c results.Column) bool { return c.Name == parameter }) {
			return -1
		}
		columns = append(columns, parameter)
		return len(columns) - 1
	}
	optimizer, rate, steps := position("optimizer"), position("learning_rate"), position("steps")
	var order []*optimizerSummary
	byName := map[string]*optimizerSummary{}
	for row, err := range set.Scan(ctx, results.Points, columns...) {
		if err != nil {
			return nil, err
		}
		name := "all"
		if optimizer >= 0 {
			name = row[optimizer].Text
		}
		s := byName[name]
		if s == nil {
			s = &optimizerSummary{optimizer: name, slowest: math.Inf(1), fastest: math.Inf(-1)}
			byName[name] = s
			order = append(order, s)
		}
		given := results.Cell{Null: true}
		if steps >= 0 {
			given = row[steps]
		}
		s.add(row[0].Text, row[1], row[2], horizonOf(row[0].Text, row[3], given))
		if rate >= 0 && !row[rate].Null {
			s.slowest, s.fastest = min(s.slowest, row[rate].Float), max(s.fastest, row[rate].Float)
		}
	}
	return order, nil
}

// horizonOf returns the step up to which a run says whether it holds the alignment: the last one of
// a run that is ok, also where it was stopped. A run that diverged or failed ends early and would
// have counted as censored up to the steps that it was given; 0 if they are null.
func horizonOf(status string, ran, given results.Cell) int64 {
	if status == results.StatusOK {
		return ran.Int
	}
	return given.Int
}

// add adds a point. horizon is the step up to which it would be censored.
func (s *optimizerSummary) add(status string, peakSpike, held results.Cell, horizon int64) {
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
	if status == results.StatusOK && !peakSpike.Null {
		s.peakSpike.add(peakSpike.Float)
	}
	if status == results.StatusOK && !held.Null {
		s.held.add(float64(held.Int))
		return
	}
	s.held.add(math.Inf(1))
	s.censored++
	if horizon > 0 && (s.horizon == 0 || horizon < s.horizon) {
		s.horizon = horizon
	}
}

// printSummary writes the table, with columns of failed and invalid points if there are any, and
// the learning rates where optimizers have different ones: steps alone do not compare them.
func printSummary(w io.Writer, summaries []*optimizerSummary) {
	broken := slices.ContainsFunc(summaries, func(s *optimizerSummary) bool { return s.failed+s.invalid > 0 })
	fmt.Fprint(w, "OPTIMIZER\tPOINTS\tDIVERGED\t")
	if broken {
		fmt.Fprint(w, "FAILED\tINVALID\t")
	}
	fmt.Fprintln(w, "MEDIAN PEAK SPIKE ALIGNMENT\tMEDIAN STEPS TO HOLD 90%")
	for _, s := range summaries {
		fmt.Fprintf(w, "%s\t%s\t%s\t", s.optimizer, humanize.Comma(s.points), humanize.Comma(s.diverged))
		if broken {
			fmt.Fprintf(w, "%s\t%s\t", humanize.Comma(s.failed), humanize.Comma(s.invalid))
		}
		fmt.Fprintf(w, "%s\t%s\n", alignment(s.spike()), s.heldText())
	}
	different := func(s *optimizerSummary) bool {
		return s.slowest != summaries[0].slowest || s.fastest != summaries[0].fastest
	}
	if !slices.ContainsFunc(summaries, different) {
		return
	}
	rates := make([]string, 0, len(summaries))
	for _, s := range summaries {
		rates = append(rates, s.optimizer+" "+s.rates())
	}
	fmt.Fprintf(w, "\nLearning rates: %s. Steps of different learning rates are not equal times.\n",
		strings.Join(rates, ", "))
}

// spike is the median of peak_spike_alignment; NaN where fewer than half of the runs are ok.
func (s *optimizerSummary) spike() float64 {
	if runs := s.points - s.invalid; 2*(runs-s.diverged-s.failed) < runs {
		return math.NaN()
	}
	return s.peakSpike.value()
}

// heldText is the median of held_90_step. Where that is a censored run, it is later than the
// shortest horizon of these.
func (s *optimizerSummary) heldText() string {
	median := s.held.value()
	switch {
	case math.IsNaN(median):
		return "-"
	case math.IsInf(median, 1):
		if s.horizon == 0 {
			return "-"
		}
		return ">" + humanize.Comma(s.horizon)
	}
	return humanize.Comma(int64(median))
}

func (s *optimizerSummary) rates() string {
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }
	switch {
	case s.slowest > s.fastest:
		return "none"
	case s.slowest == s.fastest:
		return number(s.slowest)
	}
	return number(s.slowest) + ".." + number(s.fastest)
}

func alignment(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	return strconv.FormatFloat(x, 'f', 4, 64)
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
