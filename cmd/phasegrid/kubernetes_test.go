package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	_ "go.etcd.io/etcd/server/v3/embed" // registers etcd's metrics
	"go.yaml.in/yaml/v3"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/node"
)

const manifestsFolder = "../../k8s/"

// manifest is as much of a Kubernetes object as names flags.
type manifest struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		Template struct {
			Spec struct{ Containers []container }
		}
	}
}

type container struct {
	Name, Image string
	Args        []string
	Env         []struct{ Name, Value string }
	EnvFrom     []struct {
		ConfigMapRef struct{ Name string } `yaml:"configMapRef"`
	} `yaml:"envFrom"`
}

// TestManifestsUseRealFlags gives each container's arguments and variables to
// the program's own flags. The golden files are what the overlays make; k8s's
// tests hold them to that.
func TestManifestsUseRealFlags(t *testing.T) {
	for overlay, want := range map[string]int{"kind": 2, "cluster": 2, "previous-nodes": 1} {
		file, err := os.Open(manifestsFolder + "testdata/" + overlay + ".golden.yaml")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		configs, containers := map[string]map[string]string{}, []container{}
		for decoder := yaml.NewDecoder(file); ; {
			var m manifest
			if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if m.Kind == "ConfigMap" {
				configs[m.Metadata.Name] = m.Data
			}
			containers = append(containers, m.Spec.Template.Spec.Containers...)
		}
		checked := 0
		for _, c := range containers {
			if c.Name == "etcd" {
				continue
			}
			checked++
			env := map[string]string{}
			for _, e := range c.Env {
				env[e.Name] = e.Value
			}
			for _, from := range c.EnvFrom {
				config, ok := configs[from.ConfigMapRef.Name]
				if !ok && from.ConfigMapRef.Name != "" {
					t.Errorf("%s/%s: there is no ConfigMap %s", overlay, c.Name, from.ConfigMapRef.Name)
				}
				for name, value := range config {
					env[name] = value
				}
			}
			checkContainer(t, overlay+"/"+c.Name, c.Args, env)
		}
		if checked != want {
			t.Errorf("%s: %d containers of phasegrid, want %d", overlay, checked, want)
		}
	}
}

func checkContainer(t *testing.T, where string, args []string, env map[string]string) {
	t.Helper()
	command, rest, err := (Main{Args: args, Stdout: io.Discard, Stderr: io.Discard}).command().Find(args)
	if err != nil || command.Name() != args[0] {
		t.Errorf("%s: %q is no command: %v", where, args[0], err)
		return
	}
	for i := range rest {
		rest[i] = strings.NewReplacer("$(POD_NAME)", "pod-0", "$(GOMAXPROCS)", "2").Replace(rest[i])
	}
	if err := command.ParseFlags(rest); err != nil || command.Flags().NArg() > 0 {
		t.Errorf("%s: %v; left over: %v", where, err, command.Flags().Args())
	}
	known := map[string]*pflag.Flag{}
	command.Flags().VisitAll(func(f *pflag.Flag) {
		known["PHASEGRID_"+strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))] = f
	})
	for name, value := range env {
		if !strings.HasPrefix(name, "PHASEGRID_") {
			continue
		}
		if f := known[name]; f == nil {
			t.Errorf("%s: %s is no flag of %s", where, name, command.Name())
		} else if err := f.Value.Set(value); err != nil {
			t.Errorf("%s: %s=%s: %v", where, name, value, err)
		}
	}
}

// TestMonitoringUsesRealMetrics looks every metric of the alerts and of the
// dashboard up among those that the programs register.
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
	ofCoordinator, ofNode := registries(t)
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

// registries are those of a coordinator and of a node, with every metric that they register.
func registries(t *testing.T) (ofCoordinator, ofNode *prometheus.Registry) {
	t.Helper()
	ofCoordinator, ofNode = processMetrics(), processMetrics()
	sets, err := store.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := coordinator.New(coordinator.Config{Ledger: ledger.NewMemory(), Store: sets, Registry: ofCoordinator}); err != nil {
		t.Fatal(err)
	}
	node.NewMetrics(ofNode)
	return ofCoordinator, ofNode
}

func alertExpressions(t *testing.T) []string {
	t.Helper()
	text, err := os.Open(manifestsFolder + "monitoring/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	explained, err := os.ReadFile(docsFolder + "monitoring.md")
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
	text, err := os.ReadFile(manifestsFolder + "monitoring/dashboard.json")
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
