package solver_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// No sum is fused with a product but by math.FMA: where the processor can, as on arm64, the
// compiler fuses every other one that is not rounded by a conversion, which changes bits.
func TestOnlyFMAIsFused(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles for arm64")
	}
	packages := []string{
		".", "./simd", "../../sweep", "../../sweep/draw", "../../sweep/elementary", "../../sweep/exact",
	}
	sources := map[string][]string{} // read here, so that the test is not taken as cached when one changes
	for _, p := range packages {
		files, err := filepath.Glob(filepath.Join(p, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			path, err := filepath.Abs(f)
			if err != nil {
				t.Fatal(err)
			}
			sources[path] = strings.Split(string(data), "\n")
		}
	}
	build := exec.Command("go", append([]string{"build", "-gcflags=-S"}, packages...)...)
	build.Env = append(os.Environ(), "GOARCH=arm64", "CGO_ENABLED=0")
	listing, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, listing)
	}
	fused := regexp.MustCompile(`\(([^()]+\.go):(\d+)\)\s+FN?M(?:ADD|SUB)[DS]`)
	asked, seen := 0, map[string]bool{}
	for _, m := range fused.FindAllSubmatch(listing, -1) {
		file, line := string(m[1]), string(m[2])
		if seen[file+":"+line] {
			continue
		}
		seen[file+":"+line] = true
		n, err := strconv.Atoi(line)
		if err != nil || n > len(sources[file]) {
			t.Fatalf("unknown line %s:%s", file, line)
		}
		if text := sources[file][n-1]; strings.Contains(text, "math.FMA(") {
			asked++
		} else {
			t.Errorf("%s:%s is fused on arm64: %s; round the product by float64(...)",
				file, line, strings.TrimSpace(text))
		}
	}
	if asked < 3 {
		t.Errorf("got %d lines with math.FMA, want at least 3: the listing is read wrongly", asked)
	}
}
