package views

import "fmt"

// metric is a column of the points table that views give quantiles of.
type metric struct {
	Name string
	Step bool // a step number: null means that the run has not got there
}

// Observed returns the SQL for the metric's value in the equal rows of a point; null where the run
// is not ok. Only diverged_step is of the runs that diverged.
func (m metric) Observed() string {
	if m.Name == "diverged_step" {
		return "first(diverged_step)"
	}
	return fmt.Sprintf("CASE WHEN first(status) = 'ok' THEN first(%s) END", m.Name)
}

// Quantile returns the SQL for the p-quantile of observed values over the runs of a cell.
func (m metric) Quantile(p string) string {
	if m.Step {
		return fmt.Sprintf("nullif(quantile_disc(%s, %s), 'infinity'::DOUBLE)", m.ordered(), p)
	}
	return m.ofMost(fmt.Sprintf("quantile_cont(%s, %s)", m.Name, p))
}

// Low returns the SQL for the lower end of the confidence interval of the median.
//
// The interval is [x_(k), x_(n+1-k)], with x_(i) the i-th smallest of n values, whatever their
// distribution. It misses the median with probability 2 P(B < k), B binomial of n trials at 1/2,
// and k is the largest rank for which that is at most 5 %. With z the 97.5 % quantile of the normal
// distribution,
//
//	k = floor((n + 1 - z sqrt(n - (z² - 1)/6)) / 2)
//
// is this rank for each n up to 3,000,000. It is 0 for n < 6: no two of five values enclose the
// median with 95 %.
func (m metric) Low() string { return m.ranked(m.rank()) }

// High returns the SQL for the upper end of the confidence interval of the median.
func (m metric) High() string { return m.ranked(m.count() + " + 1 - " + m.rank()) }

// ranked returns the SQL for the value of a rank from 1 on; null for other ranks.
func (m metric) ranked(rank string) string {
	if m.Step {
		return fmt.Sprintf("nullif(list_sort(list(%s))[%s], 'infinity'::DOUBLE)", m.ordered(), rank)
	}
	return m.ofMost(fmt.Sprintf("list_sort(list(%s) FILTER (WHERE %[1]s IS NOT NULL))[%s]", m.Name, rank))
}

// rank returns the SQL for the rank of the lower end of the interval.
func (m metric) rank() string {
	const z, shift = "1.959963984540054e0", "0.47357647e0"
	return fmt.Sprintf("floor((%[1]s + 1 - %[2]s * sqrt(greatest(%[1]s - %[3]s, 0))) / 2)::BIGINT", m.count(), z, shift)
}

// count returns the SQL for the number of values: of all runs for step numbers, of those that are
// ok for others.
func (m metric) count() string {
	if m.Step {
		return "count(*)"
	}
	return fmt.Sprintf("count(%s)", m.Name)
}

// ordered returns the SQL for a step number with censored runs later than all others.
func (m metric) ordered() string { return fmt.Sprintf("coalesce(%s, 'infinity'::DOUBLE)", m.Name) }

// ofMost returns the SQL for a statistic over the runs that are ok; null where fewer than half are.
func (m metric) ofMost(statistic string) string {
	return fmt.Sprintf("CASE WHEN 2 * count(*) FILTER (WHERE status = 'ok') >= count(*) THEN %s END", statistic)
}
