package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// updateReference is what `make docs-reference` passes.
var updateReference = flag.Bool("update-reference", false, "write the reference pages of docs anew")

const (
	docsFolder      = "../../docs/"
	referenceFolder = docsFolder + "reference/"
)

// TestReferencePagesAreCurrent compares the reference pages with the code that they describe, or
// writes them.
func TestReferencePagesAreCurrent(t *testing.T) {
	pages := map[string]string{
		"commands.md":    commandsPage(),
		"parameters.md":  parametersPage(),
		"optimizers.md":  optimizersPage(),
		"covariances.md": covariancesPage(),
		"columns.md":     columnsPage(t),
		"prometheus.md":  prometheusPage(t),
	}
	for name, want := range pages {
		path := referenceFolder + name
		if *updateReference {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("docs/reference/%s is stale: run make docs-reference", name)
		}
	}
	files, err := filepath.Glob(referenceFolder + "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, ok := pages[filepath.Base(file)]; !ok {
			t.Errorf("%s is not generated: remove it", file)
		}
	}
}

// page begins a reference page.
func page(title, intro string) *strings.Builder {
	b := &strings.Builder{}
	fmt.Fprintf(b, "<!-- Made from the code by make docs-reference. Do not edit. -->\n\n# %s\n\n%s\n", title, intro)
	return b
}

// table writes rows of cells as Markdown.
func table(b *strings.Builder, head []string, rows [][]string) {
	line := func(cells []string) {
		for _, c := range cells {
			c = strings.NewReplacer("|", "\\|", "<", "&lt;", "*", "\\*", "_", "\\_").Replace(strings.Join(strings.Fields(c), " "))
			// What is code already is shown as it is.
			c = regexp.MustCompile("`[^`]*`").ReplaceAllStringFunc(c, func(code string) string {
				return strings.NewReplacer("&lt;", "<", "\\*", "*", "\\_", "_").Replace(code)
			})
			b.WriteString(strings.TrimRight("| "+c, " ") + " ")
		}
		b.WriteString("|\n")
	}
	b.WriteString("\n")
	line(head)
	b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, row := range rows {
		line(row)
	}
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func commandsPage() string {
	b := page("Commands", `Every flag may be given as an environment variable: --log-format is PHASEGRID_LOG_FORMAT. Results
go to standard output, progress and logs to standard error.`)
	table(b, []string{"exit code", "meaning"}, [][]string{
		{"0", "done"}, {"1", "failed"}, {"2", "bad usage or sweep file"},
		{"3", "done, but shards are quarantined"}, {"130", "interrupted; the same command resumes"},
	})
	root := Main{}.command()
	var commands []*cobra.Command
	var collect func(*cobra.Command)
	collect = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() && sub.Name() != "help" && sub.Name() != "completion" {
				commands = append(commands, sub)
				collect(sub)
			}
		}
	}
	collect(root)
	var rows [][]string
	for _, c := range commands {
		anchor := strings.ReplaceAll(c.CommandPath(), " ", "-")
		rows = append(rows, []string{fmt.Sprintf("[%s](#%s)", c.CommandPath(), anchor), c.Short})
	}
	table(b, []string{"command", "purpose"}, rows)
	for _, c := range commands {
		fmt.Fprintf(b, "\n## %s\n\n%s.\n\n", c.CommandPath(), strings.TrimRight(c.Short, "."))
		fmt.Fprintf(b, "```text\n%s\n```\n", c.UseLine())
		if c.Long != "" {
			fmt.Fprintf(b, "\n```text\n%s\n```\n", strings.TrimSpace(c.Long))
		}
		if c.Example != "" {
			fmt.Fprintf(b, "\n```sh\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(c.Example, "  "), "\n  ", "\n"))
		}
		flagsTable(b, c.NonInheritedFlags())
	}
	b.WriteString("\n## Flags of every command\n")
	flagsTable(b, root.PersistentFlags())
	return b.String()
}

func flagsTable(b *strings.Builder, flags *pflag.FlagSet) {
	var rows [][]string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fallback := f.DefValue
		if slices.Contains([]string{"", "false", "0", "[]"}, fallback) {
			fallback = ""
		}
		rows = append(rows, []string{code(strings.TrimSpace(name + " " + value)), usage, code(fallback)})
	})
	if rows != nil {
		table(b, []string{"flag", "meaning", "default"}, rows)
	}
}

func parametersPage() string {
	b := page("Parameters", `In the order in which axes are enumerated. The word "auto" is allowed where it is named.`)
	var rows [][]string
	for id := range sweep.ParameterID(sweep.NumParameters) {
		p := sweep.Describe(id)
		rows = append(rows, []string{code(p.Name), kindOf(p), boundsOf(p), p.Unit, p.Use, p.Doc})
	}
	table(b, []string{"parameter", "type", "values", "unit", "applies to", "meaning"}, rows)
	return b.String()
}

// kindOf is the type of a parameter's values in words.
func kindOf(p sweep.Parameter) string {
	return map[sweep.Kind]string{
		sweep.KindInt: "integer", sweep.KindFloat: "number", sweep.KindText: "word", sweep.KindBool: "bool",
		sweep.KindList: "list of numbers", sweep.KindPairs: "list of pairs",
	}[p.Kind]
}

// boundsOf is the range of a parameter's numbers, or its words.
func boundsOf(p sweep.Parameter) string {
	if p.Words != nil {
		return "`" + strings.Join(p.Words, "`, `") + "`"
	}
	var bounds []string
	for _, end := range []struct {
		at           float64
		open         bool
		mark, strict string
	}{{p.Min, p.MinOpen, "≥", ">"}, {p.Max, p.MaxOpen, "≤", "<"}} {
		mark := end.mark
		if end.open {
			mark = end.strict
		}
		switch {
		case math.IsInf(end.at, 0):
		case end.at == math.MaxInt64:
			bounds = append(bounds, "< 2^63")
		default:
			bounds = append(bounds, mark+" "+strconv.FormatFloat(end.at, map[bool]byte{true: 'f', false: 'g'}[p.Kind == sweep.KindInt], -1, 64))
		}
	}
	if p.Auto {
		bounds = append(bounds, "or `auto`")
	}
	return strings.Join(bounds, ", ")
}

func optimizersPage() string {
	b := page("Optimizers", "The values of the parameter `optimizer`; [model](../model.md) explains the symbols.")
	var rows [][]string
	for _, name := range sweep.Describe(sweep.Optimizer).Words {
		rows = append(rows, []string{code(name)})
	}
	table(b, []string{"optimizer"}, rows)
	return b.String()
}

func covariancesPage() string {
	b := page("Covariances", "The values of the parameter `covariance`; [model](../model.md) explains the symbols.")
	var rows [][]string
	for _, name := range sweep.Describe(sweep.Covariance).Words {
		rows = append(rows, []string{code(name)})
	}
	table(b, []string{"covariance"}, rows)
	return b.String()
}

func columnsPage(t *testing.T) string {
	b := page("Columns", `The tables of a result set. W is the d x m iterate, theta the teacher, u = theta/|theta|, Q the
covariance of the inputs, A = W W^T - theta theta^T. "null" marks columns that may be null. The
points table also has a column for each parameter that the sweep uses, after `+"`point_id`"+`.`)
	schema, err := results.NewSchema(nil, results.Options{Trajectories: true, Coefficients: true})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[results.Kind]string{
		results.Int64: "int64", results.Float64: "float64", results.String: "text", results.Bool: "bool",
		results.Time: "time",
	}
	for _, tab := range schema.Tables() {
		fmt.Fprintf(b, "\n## %s\n", tab)
		var rows [][]string
		for _, c := range schema.Columns(tab) {
			kind := kinds[c.Kind]
			if c.Nullable {
				kind += ", null"
			}
			rows = append(rows, []string{code(c.Name), kind, c.Unit, c.Doc})
		}
		table(b, []string{"column", "type", "unit", "formula or meaning"}, rows)
	}
	return b.String()
}

// registered are the metrics of coordinators and nodes, by name.
func registered(t *testing.T) map[string][]metricFamily {
	t.Helper()
	ofCoordinator, ofNode := registries(t)
	return map[string][]metricFamily{"Coordinator": familiesOf(t, ofCoordinator), "Node": familiesOf(t, ofNode)}
}

// metricFamily describes a Prometheus metric.
type metricFamily struct{ name, kind, labels, help string }

var descriptionOf = regexp.MustCompile(`fqName: "([^"]+)", help: "([^"]*)"(?:, unit: "[^"]*")?, constLabels: {[^}]*}, variableLabels: {([^}]*)}`)

func familiesOf(t *testing.T, registry *prometheus.Registry) []metricFamily {
	t.Helper()
	kinds := map[string]string{}
	gathered, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range gathered {
		kinds[f.GetName()] = map[dto.MetricType]string{
			dto.MetricType_COUNTER: "counter", dto.MetricType_GAUGE: "gauge", dto.MetricType_HISTOGRAM: "histogram",
		}[f.GetType()]
	}
	descriptions := make(chan *prometheus.Desc, 1000)
	registry.Describe(descriptions)
	close(descriptions)
	var families []metricFamily
	for d := range descriptions {
		m := descriptionOf.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("no description in %s", d)
		}
		if !strings.HasPrefix(m[1], "phasegrid_") { // Prometheus' standard ones
			continue
		}
		f := metricFamily{name: m[1], help: m[2], labels: strings.ReplaceAll(m[3], ",", ", "), kind: kinds[m[1]]}
		if f.kind == "" { // a vector without values is not gathered
			f.kind = map[bool]string{true: "counter", false: "gauge"}[strings.HasSuffix(f.name, "_total")]
		}
		families = append(families, f)
	}
	slices.SortFunc(families, func(a, b metricFamily) int { return strings.Compare(a.name, b.name) })
	return families
}

func prometheusPage(t *testing.T) string {
	b := page("Prometheus metrics", `What to look at and what to do is in [monitoring](../monitoring.md). Processes also have the
standard metrics go_* and process_*.`)
	for _, role := range []string{"Coordinator", "Node"} {
		fmt.Fprintf(b, "\n## %s\n", role)
		var rows [][]string
		for _, f := range registered(t)[role] {
			rows = append(rows, []string{code(f.name), f.kind, f.labels, f.help})
		}
		table(b, []string{"metric", "type", "labels", "help"}, rows)
	}
	return b.String()
}

// TestMonitoringExplainsEveryMetric: an operator finds what to do for each of them.
func TestMonitoringExplainsEveryMetric(t *testing.T) {
	text, err := os.ReadFile(docsFolder + "monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, families := range registered(t) {
		for _, f := range families {
			if !strings.Contains(string(text), "| `"+f.name+"` |") {
				t.Errorf("docs/monitoring.md does not explain %s", f.name)
			}
		}
	}
}
