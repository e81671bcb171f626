package simd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The generated forms are those of their sources.
func TestGeneratedFilesAreFresh(t *testing.T) {
	dir := t.TempDir()
	sources, err := filepath.Glob("*_avx512.go")
	if err != nil || len(sources) == 0 {
		t.Fatal(sources, err)
	}
	for _, name := range append(sources, "eliminate_avx2.go", "tile_avx2.go", "three_template.go", "generate.go") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("go", "run", "generate.go")
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	written, err := filepath.Glob(filepath.Join(dir, "*_scalar.go"))
	if err != nil || len(written) == 0 {
		t.Fatal(written, err)
	}
	more, err := filepath.Glob(filepath.Join(dir, "*_avx2.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(append(written, more...), filepath.Join(dir, "three_avx512.go")) {
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Base(path))
		if err != nil || string(got) != string(want) {
			t.Errorf("%s is stale: run go generate in node/solver/simd (%v)", filepath.Base(path), err)
		}
	}
}
