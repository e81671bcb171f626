package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

const manifestsFolder = "../../k8s/"

// manifest has the fields of a Kubernetes object that name flags.
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

// TestManifestsUseRealFlags parses each container's arguments and variables with the program's own
// flags. The golden files are the output of the overlays, as the tests of k8s ensure.
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
