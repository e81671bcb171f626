package sweep_test

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

// example parses one of the shipped sweep files.
func example(t testing.TB, name string) *sweep.Spec {
	t.Helper()
	file := "examples/" + name + ".yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := sweep.Parse(file, text, sweep.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func exampleNames(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(path.Base(file), ".yaml")
	}
	return files
}

func TestExamplesAreGoodSweeps(t *testing.T) {
	names := exampleNames(t)
	if len(names) < 8 {
		t.Errorf("only %v", names)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			spec := example(t, name)
			if spec.Name() != name {
				t.Errorf("its name is %s", spec.Name())
			}
			if w := spec.Warnings(); len(w) > 0 {
				t.Errorf("warnings: %v", w)
			}
			for p := range spec.Points(0, spec.Size()) {
				switch {
				case p.Invalid != "":
					t.Fatalf("point %d: %s", p.Index, p.Invalid)
				case p.ResonantStep:
					t.Fatalf("point %d starts a whole number of steps away from zero", p.Index)
				case p.UnstableStep && !beyondLimit[name]:
					t.Fatalf("point %d is above gd's limit", p.Index)
				}
			}
		})
	}
}

// beyondLimit are the examples whose axis of learning rates reaches beyond the limit of gd: a map
// of stability, and a tuned comparison, whose rankings leave unstable runs out.
var beyondLimit = map[string]bool{"learning-rate-stability": true, "broader-covariances": true}

// The solver does about 1e9 of these operations a second on one core, so that each example takes
// well under a minute on two.
func TestExamplesAreModest(t *testing.T) {
	for _, name := range exampleNames(t) {
		if s := plan(t, example(t, name)).Summary(); s.Flops > 3e10 || s.PointBytes > 64<<20 ||
			s.ParquetBytes > 200<<20 {
			t.Errorf(
				"%s: %.2g flops, %d bytes a point, %d bytes of Parquet",
				name,
				s.Flops,
				s.PointBytes,
				s.ParquetBytes,
			)
		}
	}
}

func TestExamplesSayWhichQuestionTheyAnswer(t *testing.T) {
	for _, name := range exampleNames(t) {
		text, err := os.ReadFile("examples/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		if !strings.HasPrefix(first, "# ") || !strings.HasSuffix(first, "?") {
			t.Errorf("%s begins with %q", name, first)
		}
	}
}

func TestPhaseDiagramIsLarge(t *testing.T) {
	spec := example(t, "spiked-phase-diagram")
	points, exact := spec.Count()
	if points < 10_000 || !exact {
		t.Errorf("%d points", points)
	}
	seen := map[string]bool{}
	for p := range spec.Points(0, spec.Size()) {
		seen[p.Params[sweep.Optimizer].Text()] = true
		if r := p.Params[sweep.Representation].Text(); r != "reduced" {
			t.Fatalf("point %d is %s", p.Index, r)
		}
	}
	if !seen["gd"] || !seen["specgd"] || !seen["muon"] {
		t.Errorf("optimizers %v", seen)
	}
}

// Optimizers stand side by side in one of two examples.
func TestSideBySideHasEveryOptimizer(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{"optimizers-side-by-side", "sign-momentum"} {
		spec := example(t, name)
		for p := range spec.Points(0, spec.Size()) {
			seen[p.Params[sweep.Optimizer].Text()] = true
		}
	}
	for _, optimizer := range sweep.Describe(sweep.Optimizer).Words {
		if !seen[optimizer] {
			t.Errorf("%s is missing", optimizer)
		}
	}
}

// Every sweep file that the documentation shows is a good one, without warnings.
func TestDocumentedFilesAreGood(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, page := range append(pages, "../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range strings.Split(string(text), "```yaml\n")[1:] {
			file, _, _ := strings.Cut(block, "```")
			if !strings.Contains("\n"+file, "\nname: ") || !strings.Contains(file, "\nfixed: ") {
				continue
			}
			files++
			spec, err := sweep.Parse(page, []byte(file), sweep.Limits{})
			if err != nil {
				t.Error(err)
			} else if w := spec.Warnings(); len(w) > 0 {
				t.Errorf("%s warns: %s", page, w)
			}
		}
	}
	if files < 3 {
		t.Errorf("%d sweep files in the documentation, want at least 3", files)
	}
}
