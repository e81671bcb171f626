package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/phasegrid/phasegrid/"

// mayImport are the edges between the packages of this module: cmd -> coordinator, node -> sweep,
// results, node/solver -> proto. Siblings do not import each other.
var mayImport = map[string][]string{
	"proto/phasegrid/v1":        {},
	"sweep":                     {"proto/phasegrid/v1"},
	"results":                   {"sweep", "node/solver", "proto/phasegrid/v1"},
	"results/plot":              {"results", "sweep"},
	"node/solver/simd":          {"node/solver/simd/openblas"}, // beside its own product in a benchmark
	"node/solver/simd/openblas": {},
	"node/solver":               {"node/solver/simd", "proto/phasegrid/v1"},
	"node":                      {"sweep", "results", "node/solver", "proto/phasegrid/v1"},
	"coordinator/board":         {},
	"coordinator/store":         {},
	"coordinator/spool":         {"coordinator/store", "sweep", "results"},
	"coordinator/ledger":        {"coordinator/board", "coordinator/coordtest", "sweep", "proto/phasegrid/v1"},
	"coordinator": {
		"coordinator/board", "coordinator/ledger", "coordinator/spool", "coordinator/store", "coordinator/coordtest",
		"sweep", "results", "node/solver", "proto/phasegrid/v1",
	},
	// Tests of the coordinator's packages import coordtest, so it imports none of them.
	"coordinator/coordtest": {"sweep", "results", "node/solver", "proto/phasegrid/v1"},
	"k8s":                   {},
	"docs/reference":        {},
	"docs/reference/generate": {
		"docs/reference", "sweep", "results", "coordinator", "coordinator/ledger", "coordinator/store", "node",
	},
	"cmd/phasegrid/client": {
		"coordinator",
		"node",
		"coordinator/store",
		"coordinator/ledger",
		"sweep",
		"results",
		"proto/phasegrid/v1",
	},
	"cmd/phasegrid/bench": {
		"coordinator", "coordinator/coordtest", "coordinator/ledger", "coordinator/store", "coordinator/board",
		"node", "sweep", "results", "node/solver", "cmd/phasegrid/client", "proto/phasegrid/v1",
	},
	"cmd/phasegrid/chaos": {
		"cmd/phasegrid/client", "cmd/phasegrid/local", "cmd/phasegrid/reuse", "coordinator", "coordinator/store", "coordinator/ledger",
		"coordinator/coordtest", "node", "sweep", "results",
	},
	"cmd/phasegrid/reuse": {"node", "node/solver", "sweep", "results", "cmd/phasegrid/client"},
	"cmd/phasegrid/local": {"coordinator", "coordinator/store", "node", "cmd/phasegrid/client"},
	"cmd/phasegrid": {
		"docs/reference", // in the test of the page of commands
		"cmd/phasegrid/bench", "cmd/phasegrid/chaos", "cmd/phasegrid/client", "cmd/phasegrid/local", "cmd/phasegrid/reuse",
		"coordinator/board", "coordinator/ledger", "coordinator/spool", "coordinator/store", "coordinator/coordtest",
		"coordinator",
		"node",
		"sweep",
		"results",
		"results/plot",
		"node/solver",
		"proto/phasegrid/v1",
	},
}

// edges are the files in which generated types may appear: where bytes enter or leave.
var edges = []string{"wire.go", "rpc.go", "flight.go", "client.go"}

func TestImportDirection(t *testing.T) {
	packages := map[string]bool{}
	for file, imports := range sourceFiles(t) {
		folder, name := path.Split(file)
		folder = strings.TrimSuffix(folder, "/")
		allowed, known := mayImport[folder]
		if !known {
			t.Errorf("%s: package %s has no line in mayImport", file, folder)
			continue
		}
		packages[folder] = true
		for _, imported := range imports {
			local, ours := strings.CutPrefix(imported, module)
			if !ours || local == folder {
				continue
			}
			if !slices.Contains(allowed, local) {
				t.Errorf("%s imports %s, which is against the import direction", file, local)
			}
			inner := slices.Contains(
				[]string{"coordinator/coordtest", "coordinator/ledger", "cmd/phasegrid/client"},
				folder,
			)
			edge := inner || slices.ContainsFunc(
				edges,
				func(e string) bool { return name == e || strings.HasSuffix(name, "_"+e) },
			)
			if local == "proto/phasegrid/v1" && !edge && !strings.HasSuffix(name, "_test.go") {
				t.Errorf("%s uses generated types; they belong in %s", file, strings.Join(edges, ", "))
			}
		}
	}
	if len(packages) < 7 {
		t.Errorf("only the packages %v were seen", packages)
	}
}

// sourceFiles are the module's Go files and what they import, tests included.
func sourceFiles(t *testing.T) map[string][]string {
	t.Helper()
	root := filepath.Join("..", "..")
	files := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir() && rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || rel == "bin"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(rel, ".go"):
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files[rel] = []string{}
		for _, i := range parsed.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			files[rel] = append(files[rel], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
