package plot

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/vg"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// metrics are those on the y axis: one, or several that share it.
func (o options) metrics() []string { return figure.Split(o.Y) }

// of returns the options with one metric.
func (o options) of(metric string) options {
	o.Y = metric
	return o
}

// isTime reports whether the metrics are times, which count runs that do not get there.
func (o options) isTime() bool { return results.IsCensored(o.metrics()[0]) }

// allFractions reports whether all metrics have values in [0, 1].
func (o options) allFractions() bool {
	return !slices.ContainsFunc(o.metrics(), func(name string) bool { return !isFraction(name) })
}

// yAxisLabel is the label of the y axis; the legend names several metrics.
func (o options) yAxisLabel() string {
	if len(o.metrics()) == 1 {
		return label(o.Y)
	}
	return ""
}

// checkMetrics refuses metrics that do not count runs alike: a time counts those that do not get
// there, others do not.
func (o options) checkMetrics() error {
	metrics := o.metrics()
	for i, name := range metrics {
		if results.IsCensored(name) != results.IsCensored(metrics[0]) {
			return fmt.Errorf(
				"plot: choose axes: got the time %s beside another metric on the y axis; draw two figures",
				metrics[slices.IndexFunc(metrics, results.IsCensored)],
			)
		}
		if slices.Contains(metrics[:i], name) {
			return fmt.Errorf("plot: choose axes: got %s twice on the y axis", name)
		}
	}
	return nil
}

// metricDashes distinguish the lines of several metrics where colours show something else.
var metricDashes = [figure.MaxList][]vg.Length{nil, {5, 2}, {1.5, 1.5}, {7, 2, 1.5, 2}}

// metricPaint is the paint of the i-th metric of a line with a paint.
func (o options) metricPaint(p paint, i int) paint {
	n := len(o.metrics())
	switch {
	case n == 1:
		return p
	case o.Color == "":
		return paintAt(i)
	}
	p.dashes, p.fill = metricDashes[i], mixed(p.fill, white, 0.7*float64(i)/float64(n))
	return p
}

// metricLegend explains the lines or bars of several metrics.
func (o options) metricLegend(bars bool) (legend []legendEntry) {
	metrics := o.metrics()
	if len(metrics) == 1 {
		return nil
	}
	for i, name := range metrics {
		p := o.metricPaint(paint{color: ink, fill: ink}, i)
		entry := legendEntry{text: symbol(name), color: p.color, dashes: p.dashes}
		if bars {
			entry.color, entry.area = p.fill, true
		}
		legend = append(legend, entry)
	}
	return legend
}
