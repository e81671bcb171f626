package bench

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/phasegrid/phasegrid/node/solver"
)

// Report is what was measured, and on which machine.
type Report struct {
	Machine Machine  `json:"machine" yaml:"machine"`
	Figures []Figure `json:"figures" yaml:"figures"`

	bench    string // the present measurement
	progress io.Writer
}

// Machine describes the machine and the program that were measured.
type Machine struct {
	CPU      string `json:"cpu" yaml:"cpu"`
	Cores    int    `json:"cores" yaml:"cores"`
	Kernel   string `json:"kernel" yaml:"kernel"`     // of the solver
	System   string `json:"system" yaml:"system"`     // operating system and its release
	Revision string `json:"revision" yaml:"revision"` // of this program
	Go       string `json:"go" yaml:"go"`
	Load     string `json:"load,omitempty" yaml:"load,omitempty"` // average of the last minute before
}

func thisMachine(revision string) Machine {
	m := Machine{
		CPU:      "unknown",
		Cores:    runtime.GOMAXPROCS(0),
		Kernel:   solver.Kernel(),
		System:   runtime.GOOS + "/" + runtime.GOARCH,
		Revision: revision,
		Go:       runtime.Version(),
	}
	// Where these files do not exist, the report has less.
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.CPU = cpuModel(string(text))
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += " " + strings.TrimSpace(string(text))
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(text), " ")
	}
	return m
}

// cpuModel returns the name of the first processor in /proc/cpuinfo.
func cpuModel(text string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// Figure is one row of a report.
type Figure struct {
	Bench    string   `json:"bench" yaml:"bench"`
	Name     string   `json:"name" yaml:"name"`
	Value    float64  `json:"value" yaml:"value"`
	Unit     string   `json:"unit" yaml:"unit"`
	Ratio    float64  `json:"ratio,omitempty" yaml:"ratio,omitempty"` // above 1 is better than Baseline
	Baseline string   `json:"baseline,omitempty" yaml:"baseline,omitempty"`
	Targets  []Target `json:"targets,omitempty" yaml:"targets,omitempty"`
	Note     string   `json:"note,omitempty" yaml:"note,omitempty"`
}

// Target is what a figure should reach.
type Target struct {
	Of    string  `json:"of" yaml:"of"` // value or ratio
	Least float64 `json:"at_least,omitempty" yaml:"at_least,omitempty"`
	Most  float64 `json:"at_most,omitempty" yaml:"at_most,omitempty"`
	Met   bool    `json:"met" yaml:"met"`
}

// add adds a figure with its targets.
func (r *Report) add(f Figure, targets ...Target) {
	f.Bench = r.bench
	for _, t := range targets {
		x := f.Value
		if t.Of == "ratio" {
			x = f.Ratio
		}
		t.Met = x >= t.Least && (t.Most == 0 || x <= t.Most)
		f.Targets = append(f.Targets, t)
	}
	r.Figures = append(r.Figures, f)
}

// begin announces the next measurement.
func (r *Report) begin(format string, args ...any) {
	fmt.Fprintf(r.progress, "bench %s: %s\n", r.bench, fmt.Sprintf(format, args...))
}

func atMost(x float64) Target       { return Target{Of: "value", Most: x} }
func atLeast(x float64) Target      { return Target{Of: "value", Least: x} }
func ratioAtLeast(x float64) Target { return Target{Of: "ratio", Least: x} }

// Print writes the report as a table; cells end in tabs.
func (r *Report) Print(w io.Writer) {
	m := r.Machine
	fmt.Fprintf(w, "cpu\t%s, %d cores, kernel %s\n", m.CPU, m.Cores, m.Kernel)
	fmt.Fprintf(w, "system\t%s\n", m.System)
	fmt.Fprintf(w, "revision\t%s, %s\n", m.Revision, m.Go)
	if m.Load != "" {
		fmt.Fprintf(w, "load\t%s before\n", m.Load)
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "BENCH\tFIGURE\tVALUE\tUNIT\tRATIO\tBASELINE\tTARGET\tNOTE")
	for _, f := range r.Figures {
		ratio, baseline := "-", "-"
		if f.Ratio > 0 {
			ratio, baseline = significant(f.Ratio)+"x", f.Baseline
		}
		value := significant(f.Value)
		if f.Value == 0 && f.Unit == "" {
			value = "-"
		}
		fmt.Fprintf(
			w,
			"%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			f.Bench,
			f.Name,
			value,
			f.Unit,
			ratio,
			baseline,
			f.targets(),
			f.Note,
		)
	}
}

// targets formats the targets of a figure.
func (f *Figure) targets() string {
	var all []string
	for _, t := range f.Targets {
		text, unit := ">= "+significant(t.Least), ""
		if t.Most > 0 {
			text = "<= " + significant(t.Most)
		}
		if t.Of == "ratio" {
			unit = "x"
		}
		if text += unit; !t.Met {
			text += " (missed)"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// significant formats three significant digits, without an exponent.
func significant(x float64) string {
	if x >= 100 || x == 0 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	s := strconv.FormatFloat(x, 'g', 3, 64)
	if strings.Contains(s, "e") {
		return strconv.FormatFloat(x, 'f', 6, 64)
	}
	return s
}
