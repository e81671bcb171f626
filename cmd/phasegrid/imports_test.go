package main

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// mayImport lists the edges between the packages of this module. Imports go down only: cmd, then
// coordinator and node, then results, then sweep and node/solver, then proto. Coordinator and node
// meet on the wire only. An edge that no file uses is an error too.
var mayImport = map[string][]string{
	"proto/phasegrid/v1": {},

	"sweep/exact":               {},
	"sweep/elementary":          {},
	"sweep/figure":              {},
	"sweep/draw":                {"sweep/elementary"},
	"sweep":                     {"sweep/draw", "sweep/exact", "sweep/elementary", "sweep/figure"},
	"node/solver/simd":          {},
	"node/solver/simd/openblas": {},
	"node/solver":               {"node/solver/simd", "sweep/elementary"},

	"results":           {"sweep"},
	"results/fit":       {"results", "results/formula", "results/replicate"},
	"results/formula":   {"results", "sweep/figure"},
	"results/plot":      {"results", "results/formula", "results/replicate", "sweep", "sweep/figure"},
	"results/replicate": {"results"},
	"results/rows":      {"sweep"},
	"results/views":     {"results", "sweep"},

	"node": {"sweep", "results", "node/solver", "proto/phasegrid/v1"},

	"coordinator/admission": {},
	"coordinator/board":     {},
	"coordinator/store":     {},
	"coordinator/spool":     {"coordinator/store"},
	"coordinator/ledger":    {"coordinator/board", "sweep", "sweep/figure", "proto/phasegrid/v1"},
	"coordinator/owner":     {"coordinator/ledger", "coordinator/store", "results"},
	"coordinator": {
		"coordinator/admission", "coordinator/board", "coordinator/ledger", "coordinator/owner",
		"coordinator/spool", "coordinator/store",
		"sweep", "sweep/figure", "results", "results/views", "node/solver", "proto/phasegrid/v1",
	},
	// Tests of the coordinator's packages import coordtest, so it imports none of them.
	"coordinator/coordtest": {"sweep", "results", "node/solver", "proto/phasegrid/v1"},

	"cmd/phasegrid/client": {
		"coordinator/admission", "coordinator/ledger", "node", "results", "sweep", "proto/phasegrid/v1",
	},
	"cmd/phasegrid/local": {
		"cmd/phasegrid/client", "coordinator", "coordinator/ledger", "coordinator/owner", "coordinator/store", "node",
	},
	"cmd/phasegrid/reuse": {"node/solver", "results", "sweep"},
	"cmd/phasegrid/chaos": {
		"cmd/phasegrid/client", "cmd/phasegrid/local", "coordinator/coordtest", "coordinator/ledger", "results",
	},
	"cmd/phasegrid/sql":      {"results", "results/views"},
	"cmd/phasegrid/estimate": {"node", "node/solver", "sweep"},
	"cmd/phasegrid/bench": {
		"cmd/phasegrid/client", "cmd/phasegrid/estimate", "coordinator", "coordinator/coordtest",
		"coordinator/ledger", "coordinator/store",
		"node/solver", "results", "sweep",
	},
	"cmd/phasegrid": {
		"cmd/phasegrid/bench", "cmd/phasegrid/chaos", "cmd/phasegrid/client", "cmd/phasegrid/estimate",
		"cmd/phasegrid/local",
		"cmd/phasegrid/reuse", "cmd/phasegrid/sql", "coordinator", "coordinator/admission",
		"coordinator/ledger", "coordinator/store",
		"node", "node/solver", "results", "results/fit", "results/plot", "results/rows",
		"sweep", "sweep/figure",
	},

	"docs/paper": {
		"cmd/phasegrid/client", "cmd/phasegrid/local", "node/solver", "results", "results/fit", "results/plot",
		"sweep", "sweep/figure",
	},
	"docs/reference": {},
	"docs/reference/generate": {
		"docs/reference", "coordinator", "coordinator/admission", "coordinator/ledger", "coordinator/store",
		"node", "results",
		"sweep",
	},
	"k8s": {},
}

// testsMayImport are further edges of test files. A package's own tests may import what their
// package may.
var testsMayImport = map[string][]string{
	"results":               {"results/views"},
	"node/solver/simd":      {"node/solver/simd/openblas"}, // beside its own product in a benchmark
	"coordinator":           {"coordinator/coordtest"},
	"coordinator/admission": {"coordinator/coordtest"},
	"coordinator/ledger":    {"coordinator/coordtest"},
	"cmd/phasegrid":         {"coordinator/coordtest", "docs/reference", "proto/phasegrid/v1"},
}

// wirePackages may use the generated types of the protocol; in node that is wire.go alone.
var wirePackages = []string{
	"coordinator",
	"coordinator/coordtest", // a node that speaks the protocol and solves nothing
	"coordinator/ledger",    // values in etcd are messages of state.proto
	"cmd/phasegrid/client",
}

const wireFile = "node/wire.go"

func TestImportsGoDownOnly(t *testing.T) {
	used := map[string]bool{}
	for _, f := range moduleFiles(t) {
		allowed, known := mayImport[f.folder]
		if !known {
			t.Errorf("%s: package %s has no line in mayImport", f.path, f.folder)
			continue
		}
		for _, imported := range f.imports() {
			local, ours := strings.CutPrefix(imported, module)
			switch {
			case !ours || local == f.folder:
			case slices.Contains(allowed, local):
				used[f.folder+" -> "+local] = used[f.folder+" -> "+local] || !f.test
			case !f.test || !slices.Contains(testsMayImport[f.folder], local):
				t.Errorf("%s imports %s, against the import direction", f.path, local)
			}
		}
	}
	for folder, imports := range mayImport {
		for _, imported := range imports {
			if !used[folder+" -> "+imported] {
				t.Errorf("mayImport allows %s to import %s, which it does not", folder, imported)
			}
		}
	}
}

func TestBoardImportsTheStandardLibraryOnly(t *testing.T) {
	for _, f := range moduleFiles(t) {
		if f.folder != "coordinator/board" || f.test {
			continue
		}
		for _, imported := range f.imports() {
			if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
				t.Errorf("%s imports %s", f.path, imported)
			}
		}
	}
}

func TestGeneratedTypesStayAtTheWire(t *testing.T) {
	for _, f := range moduleFiles(t) {
		if f.test || f.generated || !slices.Contains(f.imports(), module+"proto/phasegrid/v1") {
			continue
		}
		if f.path != wireFile && !slices.Contains(wirePackages, f.folder) {
			t.Errorf("%s uses generated types; only %s and %v do", f.path, wireFile, wirePackages)
		}
	}
}

// TestTestServersStayOutOfTheBinary: what only tests need is linked by tests only.
func TestTestServersStayOutOfTheBinary(t *testing.T) {
	for _, f := range moduleFiles(t) {
		if f.test {
			continue
		}
		for _, imported := range f.imports() {
			for _, server := range []string{"gofakes3", "toxiproxy"} {
				if strings.Contains(imported, server) {
					t.Errorf("%s links the test server %s into the product", f.path, server)
				}
			}
		}
	}
}

// references returns the names of each package of this module that a file uses from outside it, as
// folder.Name.
func (f moduleFile) references() []string {
	byName := map[string]string{}
	for _, spec := range f.syntax.Imports {
		local, ours := strings.CutPrefix(importPath(spec), module)
		if !ours {
			continue
		}
		name := path.Base(local)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		byName[name] = local
	}
	var names []string
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && byName[x.Name] != "" {
				names = append(names, byName[x.Name]+"."+sel.Sel.Name)
			}
		}
		return true
	})
	return names
}
