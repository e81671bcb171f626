package sweep

import (
	"os"
	"path/filepath"
	"testing"
)

// Runs tile the indices, and all points of a run have its cost-relevant parameters.
func TestRunsShareTheirCost(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := Parse(file, src, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, first := range []int64{0, 1, spec.Size() / 3} {
			next := first
			for r := range spec.runs(first, spec.Size()) {
				if r.first != next || r.end <= r.first {
					t.Fatalf("%s: the run [%d, %d) follows %d", file, r.first, r.end, next)
				}
				next = r.end
				for p := range spec.Points(r.first, r.end) {
					for id := range p.Params {
						if costRelevant(ParameterID(id)) && p.Params[id].String() != r.a[id].String() {
							t.Fatalf(
								"%s: %s of point %d is %v, of its run %v",
								file,
								ParameterID(id),
								p.Index,
								p.Params[id],
								r.a[id],
							)
						}
					}
				}
			}
			if next != spec.Size() {
				t.Errorf("%s: the runs end at %d of %d", file, next, spec.Size())
			}
		}
	}
}
