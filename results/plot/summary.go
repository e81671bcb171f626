package plot

import (
	"fmt"
	"slices"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/replicate"
)

// runs are the replicates of a cell.
type runs struct {
	metric   replicate.Runs
	diverged int
}

// add adds the run of a row with its metric.
func (r *runs) add(f *frame, row int, y string) {
	status := f.columns["status"].words[row]
	if status == results.StatusDiverged {
		r.diverged++
	}
	r.metric.Steps = f.columns[y].kind == results.Int64 && !slices.Contains(f.parameters, y)
	r.metric.Add(replicate.Counts(status, y), f.columns[y].numbers[row])
}

// count writes a number of things: 1 point, 2 points.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
