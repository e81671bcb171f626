package main

import (
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
)

// The house rules that a program can check. A ceiling rises only with a reason written beside it.
const (
	maxPackageFiles = 35  // not counting tests and generated files
	maxFileLines    = 400 // not counting tests and generated files
	maxFuncLines    = 60  // not counting tests and generated files
	maxCodeColumns  = 120 // a tab is four
	maxTextColumns  = 100 // of a line that is a comment
)

// packageLimits are the ceilings of single packages.
var packageLimits = map[string]struct{ files, exported int }{
	"coordinator": {files: 31, exported: 35},
	"node/solver": {files: 60}, // one file an optimizer or representation
	"sweep":       {files: 36}, // one file a key of the sweep file; rows of other files are one more
}

// calledByTests are packages that exist for tests and benchmarks, whose exported names tests use.
var calledByTests = []string{
	"coordinator/coordtest",
	"node/solver/simd/openblas", // beside our own product in a benchmark
}

// packageSize is what TestPackageSizes prints and limits.
type packageSize struct {
	files, lines, longestFile, longestFunc int
	longestFuncName                        string
	exported                               []string
}

func TestPackageSizes(t *testing.T) {
	sizes := map[string]*packageSize{}
	for _, f := range moduleFiles(t) {
		if f.test || f.generated || f.syntax.Name.Name == "main" && f.folder != "cmd/phasegrid" {
			continue
		}
		if sizes[f.folder] == nil {
			sizes[f.folder] = &packageSize{}
		}
		sizes[f.folder].add(f)
		if n := strings.Count(f.text, "\n"); n > maxFileLines {
			t.Errorf("%s has %d lines, want at most %d", f.path, n, maxFileLines)
		}
		for _, fn := range f.functions() {
			if fn.lines > maxFuncLines {
				t.Errorf("%s: %s has %d lines, want at most %d", f.path, fn.name, fn.lines, maxFuncLines)
			}
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(sizes)) {
		size, limit := sizes[folder], packageLimits[folder]
		if limit.files == 0 {
			limit.files = maxPackageFiles
		}
		t.Logf("%-24s %2d files, %5d lines, longest file %3d, longest function %2d (%s), %3d exported names",
			folder, size.files, size.lines, size.longestFile,
			size.longestFunc, size.longestFuncName, len(size.exported))
		if size.files > limit.files {
			t.Errorf("%s has %d files besides tests, want at most %d", folder, size.files, limit.files)
		}
		if limit.exported > 0 && len(size.exported) > limit.exported {
			t.Errorf("%s exports %d names, want at most %d: %v",
				folder, len(size.exported), limit.exported, size.exported)
		}
	}
}

// TestExportedNamesAreUsed: a package exports what another package calls, and what the declarations
// of those names mention. A test is no caller.
func TestExportedNamesAreUsed(t *testing.T) {
	used := map[string]bool{}
	mentions := map[string][]string{}
	var exported []string
	for _, f := range moduleFiles(t) {
		for _, name := range f.references() {
			folder := name[:strings.LastIndex(name, ".")]
			if !f.test || slices.Contains(calledByTests, folder) {
				used[name] = true
			}
		}
		if f.test || f.generated || f.syntax.Name.Name == "main" {
			continue
		}
		for _, d := range f.declarations() {
			if d.owner != "" {
				owner := f.folder + "." + d.owner
				mentions[owner] = append(mentions[owner], d.mentioned(f.folder)...)
			}
			for _, id := range d.names {
				name := f.folder + "." + id
				exported = append(exported, name)
				mentions[name] = append(mentions[name], d.mentioned(f.folder)...)
			}
		}
	}
	var reach func(name string)
	reach = func(name string) {
		for _, mentioned := range mentions[name] {
			if !used[mentioned] {
				used[mentioned] = true
				reach(mentioned)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		reach(name)
	}
	for _, name := range exported {
		if !used[name] {
			t.Errorf("%s is exported, but no other package uses it", name)
		}
	}
}

// TestLineWidths holds code to 120 columns and comments to 100, in tests too. A line that is one
// unbroken word, such as an address, may be longer.
func TestLineWidths(t *testing.T) {
	for _, f := range moduleFiles(t) {
		if f.generated {
			continue
		}
		for i, line := range strings.Split(f.text, "\n") {
			columns := len([]rune(strings.ReplaceAll(line, "\t", "    ")))
			limit := maxCodeColumns
			if text := strings.TrimSpace(line); strings.HasPrefix(text, "// ") && strings.Contains(text[3:], " ") {
				limit = maxTextColumns
			}
			if columns > limit {
				t.Errorf("%s:%d has %d columns, want at most %d", f.path, i+1, columns, limit)
			}
		}
	}
}

func (s *packageSize) add(f moduleFile) {
	lines := strings.Count(f.text, "\n")
	s.files++
	s.lines += lines
	s.longestFile = max(s.longestFile, lines)
	for _, fn := range f.functions() {
		if fn.lines > s.longestFunc {
			s.longestFunc, s.longestFuncName = fn.lines, fn.name
		}
	}
	if f.syntax.Name.Name == "main" {
		return
	}
	for _, d := range f.declarations() {
		for _, name := range d.names {
			if !slices.Contains(s.exported, name) {
				s.exported = append(s.exported, name)
			}
		}
	}
}

type function struct {
	name  string
	lines int
}

func (f moduleFile) functions() []function {
	var all []function
	for _, d := range f.syntax.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			from, to := f.positions.Position(fn.Pos()).Line, f.positions.Position(fn.End()).Line
			all = append(all, function{fn.Name.Name, to - from + 1})
		}
	}
	return all
}

// declaration is one declaration of a file's top level.
type declaration struct {
	names []string // the exported names that it declares; methods and fields go with their type
	owner string   // the type whose exported method, or constant, it is
	nodes []ast.Node
}

// mentioned returns the exported names of its own package that a declaration mentions, besides in
// the bodies of functions.
func (d declaration) mentioned(folder string) []string {
	var names []string
	for _, node := range d.nodes {
		ast.Inspect(node, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				return false // of another package
			case *ast.Ident:
				if n.IsExported() {
					names = append(names, folder+"."+n.Name)
				}
			}
			return true
		})
	}
	return names
}

func (f moduleFile) declarations() []declaration {
	var all []declaration
	for _, d := range f.syntax.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			all = append(all, functionDeclaration(d))
		case *ast.GenDecl:
			typed := "" // a constant without a type has that of the constant before
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					all = append(all, declaration{names: exportedOf(spec.Name), nodes: []ast.Node{spec.Type}})
				case *ast.ValueSpec:
					if id, ok := spec.Type.(*ast.Ident); ok {
						typed = id.Name
					}
					value := declaration{names: exportedOf(spec.Names...), owner: typed}
					for _, id := range spec.Names {
						value.nodes = append(value.nodes, id)
					}
					if spec.Type != nil {
						value.nodes = append(value.nodes, spec.Type)
					}
					all = append(all, value)
				}
			}
		}
	}
	return all
}

func functionDeclaration(d *ast.FuncDecl) declaration {
	f := declaration{nodes: []ast.Node{d.Type}}
	if d.Recv == nil {
		f.names = exportedOf(d.Name)
		return f
	}
	if !d.Name.IsExported() {
		return declaration{}
	}
	receiver := d.Recv.List[0].Type
	ast.Inspect(receiver, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && f.owner == "" {
			f.owner = id.Name
		}
		return f.owner == ""
	})
	return f
}

func exportedOf(ids ...*ast.Ident) []string {
	var names []string
	for _, id := range ids {
		if id.IsExported() {
			names = append(names, id.Name)
		}
	}
	return names
}
