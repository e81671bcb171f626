package node

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/sweep"
)

var bless = flag.Bool("bless", false, "rewrite the golden files")

const versionGolden = "testdata/version.golden"

// The bits of every example belong to solver.Version, their parameters to sweep.PlanVersion: a
// change of them requires a new version. Run with -bless only for changes that a new version makes
// on purpose. Under the versions that the golden file was written with it adds examples, and
// refuses to move a hash.
func TestVersionGuardsTheBits(t *testing.T) {
	files, err := filepath.Glob("../sweep/examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var got strings.Builder
	fmt.Fprintf(&got, "solver version %d, plan version %d\n", solver.Version, sweep.PlanVersion)
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".yaml")
		sum := sha256.New()
		for _, s := range solveExample(t, name, sparse()) {
			fmt.Fprintf(sum, "%d %+v\n", s.Index, s.Result)
		}
		fmt.Fprintf(&got, "%s %x\n", name, sum.Sum(nil))
	}
	want, err := os.ReadFile(versionGolden)
	if err != nil {
		t.Fatal(err)
	}
	if *bless {
		if moved := movedHashes(string(want), got.String()); moved != nil {
			t.Fatalf("bits of %v changed under the same versions: raise solver.Version or sweep.PlanVersion", moved)
		}
		if err := os.WriteFile(versionGolden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if runtime.GOARCH != "amd64" {
		want = withoutLAPACK(string(want))
		other := withoutLAPACK(got.String())
		got.Reset()
		got.Write(other)
	}
	if got.String() != string(want) {
		t.Errorf("bits of the examples changed: raise solver.Version, then bless\n%swant\n%s", got.String(), want)
	}
}

// withoutLAPACK leaves out the examples whose bits depend on gonum's LAPACK, which sums in another
// order on each architecture.
func withoutLAPACK(golden string) []byte {
	names := "broader-covariances|fast-escape|mixed-teacher|samples|two-layer-network|width"
	lapack := regexp.MustCompile(`(?m)^(` + names + `) .*\n`)
	return lapack.ReplaceAll([]byte(golden), nil)
}

// movedHashes lists the examples whose hashes differ between golden files with equal versions.
func movedHashes(before, after string) (moved []string) {
	versions, lines, _ := strings.Cut(before, "\n")
	if newVersions, _, _ := strings.Cut(after, "\n"); newVersions != versions {
		return nil
	}
	hashes := map[string]string{}
	for line := range strings.Lines(after) {
		name, hash, _ := strings.Cut(line, " ")
		hashes[name] = hash
	}
	for line := range strings.Lines(lines) {
		name, hash, _ := strings.Cut(line, " ")
		if now, ok := hashes[name]; ok && now != hash {
			moved = append(moved, name)
		}
	}
	return moved
}

func TestMovedHashes(t *testing.T) {
	before := "solver version 4, plan version 2\ngd 12\nlion 34\n"
	for _, c := range []struct {
		after string
		want  []string
	}{
		{before, nil},
		{before + "new 56\n", nil},
		{"solver version 4, plan version 2\ngd 12\n", nil},
		{"solver version 4, plan version 2\ngd 12\nlion 35\n", []string{"lion"}},
		{"solver version 5, plan version 2\ngd 13\nlion 35\n", nil},
		{"solver version 4, plan version 3\ngd 13\nlion 35\n", nil},
	} {
		if got := movedHashes(before, c.after); !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.after, got, c.want)
		}
	}
}

// sparse selects points of an example: the first of each kind, and every 23rd that does not have
// many steps.
func sparse() func(*sweep.Point) bool {
	kinds := map[[4]string]bool{}
	return func(p *sweep.Point) bool {
		a := p.Params
		kind := [4]string{
			a[sweep.Optimizer].Text(),
			a[sweep.Orthogonalizer].Text(),
			a[sweep.Model].Text(),
			a[sweep.Schedule].Text(),
		}
		if !kinds[kind] {
			kinds[kind] = true
			return true
		}
		return a[sweep.Steps].Int() <= 10_000 && p.Index%23 == 0
	}
}
