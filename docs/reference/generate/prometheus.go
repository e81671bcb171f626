package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/docs/reference"
	"github.com/phasegrid/phasegrid/node"
)

func prometheusPage() (string, error) {
	p := reference.NewPage("Prometheus metrics", `
What to look at and what to do is in [monitoring](../monitoring.md). Processes also have the
standard metrics `+"`go_*` and `process_*`"+`.`)
	ofCoordinator, err := coordinatorMetrics()
	if err != nil {
		return "", err
	}
	ofNode := prometheus.NewRegistry()
	node.NewMetrics(ofNode)
	for _, role := range []struct {
		title    string
		registry *prometheus.Registry
	}{{"Coordinator", ofCoordinator}, {"Node", ofNode}} {
		families, err := familiesOf(role.registry)
		if err != nil {
			return "", err
		}
		var rows [][]string
		for _, f := range families {
			rows = append(rows, []string{reference.Code(f.name), f.kind, f.labels, f.help})
		}
		p.Printf("\n## %s\n", role.title)
		p.Table([]string{"metric", "type", "labels", "help"}, rows)
	}
	return p.String(), nil
}

// coordinatorMetrics is the registry of a coordinator that never runs.
func coordinatorMetrics() (*prometheus.Registry, error) {
	folder, err := os.MkdirTemp("", "reference")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	results, err := store.OpenFolder(folder)
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	_, err = coordinator.New(coordinator.Config{Ledger: ledger.NewMemory(), Store: results, Registry: registry})
	return registry, err
}

// family describes a Prometheus metric.
type family struct{ name, kind, labels, help string }

var description = regexp.MustCompile(
	`fqName: "([^"]+)", help: "([^"]*)"(?:, unit: "[^"]*")?, constLabels: {[^}]*}, variableLabels: {([^}]*)}`)

// familiesOf lists the metrics of a registry by name.
func familiesOf(registry *prometheus.Registry) ([]family, error) {
	gathered, err := registry.Gather()
	if err != nil {
		return nil, err
	}
	kinds := map[string]string{}
	for _, f := range gathered {
		kinds[f.GetName()] = map[dto.MetricType]string{
			dto.MetricType_COUNTER: "counter", dto.MetricType_GAUGE: "gauge", dto.MetricType_HISTOGRAM: "histogram",
		}[f.GetType()]
	}
	descriptions := make(chan *prometheus.Desc, 1000)
	registry.Describe(descriptions)
	close(descriptions)
	var families []family
	for d := range descriptions {
		m := description.FindStringSubmatch(d.String())
		if m == nil {
			return nil, fmt.Errorf("read the description %s", d)
		}
		f := family{name: m[1], help: m[2], labels: strings.ReplaceAll(m[3], ",", ", "), kind: kinds[m[1]]}
		if f.kind == "" { // a vector without values is not gathered
			f.kind = "gauge"
			if strings.HasSuffix(f.name, "_total") {
				f.kind = "counter"
			}
		}
		families = append(families, f)
	}
	slices.SortFunc(families, func(a, b family) int { return strings.Compare(a.name, b.name) })
	return families, nil
}
