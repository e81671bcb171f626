package chaos

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report has the faults that were injected and what was found.
type Report struct {
	Seed      uint64         `json:"seed" yaml:"seed"`
	Duration  time.Duration  `json:"duration_ns" yaml:"duration"`
	Settled   time.Duration  `json:"settled_ns" yaml:"settled"` // from the last fault to the end of all alarms
	Skipped   []string       `json:"skipped,omitempty" yaml:"skipped,omitempty"`
	Events    []Event        `json:"events" yaml:"events"`
	Sweeps    int            `json:"sweeps" yaml:"sweeps"`
	Points    int64          `json:"points" yaml:"points"`
	Shards    int64          `json:"shards" yaml:"shards"`
	Parts     int64          `json:"parts" yaml:"parts"`
	Files     int            `json:"files_compared" yaml:"files_compared"`
	Reads     map[string]int `json:"live_reads" yaml:"live_reads"`
	ReadsLost int            `json:"live_reads_without_answer" yaml:"live_reads_without_answer"`
	Audit     Audit          `json:"audit" yaml:"audit"`
	// Quarantined are the shards that were retried, with the causes.
	Quarantined []string `json:"quarantined,omitempty" yaml:"quarantined,omitempty"`
	Violations  []string `json:"violations" yaml:"violations"`
}

func (r *Report) violate(format string, args ...any) {
	r.Violations = append(r.Violations, fmt.Sprintf(format, args...))
}

// Print writes the report as a table; cells end in tabs.
func (r *Report) Print(w io.Writer) {
	for _, e := range r.Events {
		fmt.Fprintf(w, "%.1fs\t%s\t%s\t%.1fs\n", e.At.Seconds(), e.Fault, e.Target, e.Lasted.Seconds())
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "seed\t%d\n", r.Seed)
	fmt.Fprintf(w, "faults\t%d in %v\n", len(r.Events), r.Duration)
	for _, s := range r.Skipped {
		fmt.Fprintf(w, "skipped\t%s\n", s)
	}
	fmt.Fprintf(w, "sweeps\t%d: %d points, %d shards, %d parts\n", r.Sweeps, r.Points, r.Shards, r.Parts)
	fmt.Fprintf(w, "settled\t%v after the last fault\n", r.Settled.Round(100*time.Millisecond))
	fmt.Fprintf(w, "terms\t%d\n", r.Audit.Terms)
	fmt.Fprintf(w, "shards started\t%d, granted %d\n", r.Audit.Started, r.Audit.Granted)
	fmt.Fprintf(w, "acknowledged\t%d\n", r.Audit.Acked)
	fmt.Fprintf(w, "granted after acknowledgement\t%d\n", len(r.Audit.Recomputed))
	fmt.Fprintf(
		w,
		"late repetitions\t%d, started after the acknowledgement by nodes with an older grant\n",
		r.Audit.LateRepetitions,
	)
	fmt.Fprintf(w, "rejected\t%d deliveries\n", r.Audit.Rejected)
	for _, way := range slices.Sorted(maps.Keys(r.Reads)) {
		by := ""
		if strings.HasPrefix(way, "merged") {
			by = " by " + mergedBy
		}
		fmt.Fprintf(w, "live reads\t%d of %s%s\n", r.Reads[way], way, by)
	}
	fmt.Fprintf(w, "failed reads\t%d\n", r.ReadsLost)
	for _, q := range r.Quarantined {
		fmt.Fprintf(w, "retried\t%s\n", q)
	}
	fmt.Fprintf(w, "files compared\t%d\n", r.Files)
	fmt.Fprintf(w, "violations\t%d\n", len(r.Violations))
	for _, v := range r.Violations {
		fmt.Fprintf(w, "VIOLATION\t%s\n", v)
	}
}
