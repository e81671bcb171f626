package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/phasegrid/phasegrid/"

// moduleFile is one Go file of this module, of any build tag.
type moduleFile struct {
	path, folder    string // relative to the module's root, with slashes
	test, generated bool
	text            string
	syntax          *ast.File
	positions       *token.FileSet
}

// imports returns the import paths of a file.
func (f moduleFile) imports() []string {
	var paths []string
	for _, spec := range f.syntax.Imports {
		paths = append(paths, importPath(spec))
	}
	return paths
}

func importPath(spec *ast.ImportSpec) string {
	unquoted, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		panic(err) // the parser has accepted it
	}
	return unquoted
}

var parseModule = sync.OnceValues(func() ([]moduleFile, error) {
	root := filepath.Join("..", "..")
	positions := token.NewFileSet()
	var files []moduleFile
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
		case d.IsDir() && rel != "." && skipFolder(rel):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(rel, ".go"):
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(positions, rel, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, moduleFile{
			path: rel, folder: path.Dir(rel), text: string(text), syntax: syntax, positions: positions,
			test:      strings.HasSuffix(rel, "_test.go"),
			generated: ast.IsGenerated(syntax),
		})
		return nil
	})
	return files, err
})

// skipFolder reports whether a folder holds no package of this module: tools and other modules
// (dot folders), inputs of tests, and what is built or installed.
func skipFolder(rel string) bool {
	return strings.HasPrefix(path.Base(rel), ".") || path.Base(rel) == "testdata" ||
		slices.Contains([]string{"bin", "dist", "site", "node_modules"}, rel)
}

// moduleFiles parses every Go file of this module once.
func moduleFiles(t *testing.T) []moduleFile {
	t.Helper()
	files, err := parseModule()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 300 {
		t.Fatalf("found %d Go files; is the test run in cmd/phasegrid?", len(files))
	}
	return files
}
