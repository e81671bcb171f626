package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	_ "go.etcd.io/etcd/server/v3/embed" // registers etcd's metrics
	"go.yaml.in/yaml/v3"

	"github.com/phasegrid/phasegrid/node"
)

const (
	monitoringFolder = "../../../k8s/monitoring/"
	monitoringPage   = "../../monitoring.md"
)

// TestMonitoringExplainsEveryMetric: operators find what to do for each of them.
func TestMonitoringExplainsEveryMetric(t *testing.T) {
	text, err := os.ReadFile(monitoringPage)
	if err != nil {
		t.Fatal(err)
	}
	page, err := prometheusPage()
	if err != nil {
		t.Fatal(err)
	}
	explained := 0
	for line := range strings.Lines(page) {
		if name, ok := strings.CutPrefix(line, "| `phasegrid_"); ok {
			explained++
			name, _, _ = strings.Cut(name, "`")
			if !strings.Contains(string(text), "| `phasegrid_"+name+"` |") {
				t.Errorf("docs/monitoring.md does not explain phasegrid_%s", name)
			}
		}
	}
	if explained < 20 {
		t.Errorf("found %d metrics on the page, want at least 20", explained)
	}
}

// TestMonitoringUsesRealMetrics looks every metric of the alerts and of the dashboard up among
// those that the programs register.
func TestMonitoringUsesRealMetrics(t *testing.T) {
	known := map[string]bool{}
	describe := func(registry *prometheus.Registry) {
		descriptions := make(chan *prometheus.Desc, 1000)
		registry.Describe(descriptions)
		close(descriptions)
		name := regexp.MustCompile(`fqName: "([^"]+)"`)
		for d := range descriptions {
			known[name.FindStringSubmatch(d.String())[1]] = true
		}
	}
	ofCoordinator, err := coordinatorMetrics()
	if err != nil {
		t.Fatal(err)
	}
	ofNode := prometheus.NewRegistry()
	node.NewMetrics(ofNode)
	describe(ofCoordinator)
	describe(ofNode)
	describe(prometheus.DefaultRegisterer.(*prometheus.Registry))

	expressions := append(alertExpressions(t), dashboardExpressions(t)...)
	if len(expressions) < 20 {
		t.Errorf("only %d expressions", len(expressions))
	}
	metric := regexp.MustCompile(`\b(phasegrid|etcd|process)_[a-z_]+`)
	for _, expression := range expressions {
		names := metric.FindAllString(expression, -1)
		if len(names) == 0 {
			t.Errorf("no metric in %s", expression)
		}
		for _, name := range names {
			if !known[name] && !known[strings.TrimSuffix(name, "_bucket")] {
				t.Errorf("no program registers %s, used in %s", name, expression)
			}
		}
	}
}

func alertExpressions(t *testing.T) []string {
	t.Helper()
	text, err := os.Open(monitoringFolder + "alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	explained, err := os.ReadFile(monitoringPage)
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	decoder := yaml.NewDecoder(text)
	decoder.KnownFields(true)
	if err := decoder.Decode(&rules); err != nil {
		t.Fatal(err)
	}
	var expressions []string
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			expressions = append(expressions, rule.Expr)
			if rule.Annotations["summary"] == "" || rule.Labels["severity"] == "" {
				t.Errorf("%s has no summary or no severity", rule.Alert)
			}
			if !strings.Contains(string(explained), "| `"+rule.Alert+"` |") {
				t.Errorf("docs/monitoring.md does not say what %s means", rule.Alert)
			}
		}
	}
	return expressions
}

func dashboardExpressions(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(monitoringFolder + "dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	var expressions []string
	for _, panel := range dashboard.Panels {
		if len(panel.Targets) == 0 {
			t.Errorf("panel %q shows nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			expressions = append(expressions, target.Expr)
		}
	}
	return expressions
}
