package node

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/sweep"
)

var bless = flag.Bool("bless", false, "rewrite the golden files")

const versionGolden = "testdata/version.golden"

// The bits of every example belong to solver.Version, their parameters to sweep.PlanVersion: a
// change of them requires a new version. Run with -bless only for changes that a new version makes
// on purpose.
func TestVersionGuardsTheBits(t *testing.T) {
	files, err := filepath.Glob("../sweep/examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var got strings.Builder
	fmt.Fprintf(&got, "version %d\n", solver.Version)
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".yaml")
		sum := sha256.New()
		for _, s := range solveExample(t, name, sparse()) {
			fmt.Fprintf(sum, "%d %+v\n", s.Index, s.Result)
		}
		fmt.Fprintf(&got, "%s %x\n", name, sum.Sum(nil))
	}
	if *bless {
		if err := os.WriteFile(versionGolden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(versionGolden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("bits of the examples changed: raise solver.Version, then bless\n%swant\n%s", got.String(), want)
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
