package main

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/sweep"
)

// TestPageHasEveryClaim compares the headings and links of the page with the table; TestClaims
// compares what is between them.
func TestPageHasEveryClaim(t *testing.T) {
	var want, names []string
	for _, s := range sections() {
		want = append(want, "## "+s.title)
		for _, c := range s.claims {
			want = append(want, "### "+c.name)
			names = append(names, c.name)
		}
	}
	got := regexp.MustCompile(`(?m)^##+ .*`).FindAllString(read(t, pageName), -1)
	if !slices.Equal(got, want) {
		t.Errorf("%s has the headings %q, want %q: run make paper", pageName, got, want)
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != len(want)-len(sections()) {
		t.Error("two claims have the same name")
	}
}

var image = regexp.MustCompile(`\]\(([^)\s]+\.(?:svg|png))\)`)

// TestFiguresAreCurrent looks for the id of today's sweep in every figure that a page shows.
func TestFiguresAreCurrent(t *testing.T) {
	shown := map[string]bool{}
	for _, page := range []string{"README.md", "docs/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, page))
		if err != nil || len(files) == 0 {
			t.Fatal(page, err)
		}
		for _, file := range files {
			file, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			for _, link := range image.FindAllStringSubmatch(read(t, file), -1) {
				shown[path.Join(path.Dir(filepath.ToSlash(file)), link[1])] = true
			}
		}
	}
	stored, err := filepath.Glob(filepath.Join(root, figureFolder, "*"))
	if err != nil || len(stored) == 0 {
		t.Fatal(stored, err)
	}
	for _, file := range stored {
		if file = path.Join(figureFolder, filepath.Base(file)); !shown[file] {
			t.Errorf("%s is shown on no page: run make paper", file)
		}
	}
	for file := range shown {
		if path.Dir(file) != figureFolder {
			continue // a drawing, not a figure of a sweep
		}
		example, _, _ := strings.Cut(strings.TrimSuffix(path.Base(file), ".svg"), ".")
		spec, _, err := parseExample(root, example)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if id := spec.ID(sweep.BuiltinSolver(solver.Version))[:8]; !strings.Contains(read(t, file), "("+id+")") {
			t.Errorf("%s is not of today's sweep %s: run make paper", file, id)
		}
	}
}

// TestVerdictsHaveNoNumbers: no test would read them.
func TestVerdictsHaveNoNumbers(t *testing.T) {
	for _, s := range sections() {
		for _, c := range s.claims {
			if digits := regexp.MustCompile(`[0-9.]*[0-9]`).FindAllString(c.words, -1); digits != nil {
				t.Errorf("claim %s: the verdict states %v; make it a number of the measurement", c.name, digits)
			}
			if c.verdict == "" || c.source == "" || len(c.examples) == 0 {
				t.Errorf("claim %s lacks a verdict, a source or a sweep", c.name)
			}
		}
	}
}

// examples lists the shipped sweeps by name.
func examples(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "sweep/examples/*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	return names
}

// TestEveryExampleIsMeasured: an example belongs to a claim, has figures of its own and stands in
// the list of examples.
func TestEveryExampleIsMeasured(t *testing.T) {
	list := read(t, "docs/sweep-file.md")
	for _, name := range examples(t) {
		if firstWith(name) == "" {
			t.Errorf("%s belongs to no claim", name)
		}
		if spec, _, err := parseExample(root, name); err != nil || len(spec.Figures()) == 0 {
			t.Errorf("%s: no figures (%v); choose those that show what its header says", name, err)
		}
		if !strings.Contains(list, "](../"+exampleFile(name)+")") {
			t.Errorf("docs/sweep-file.md does not list %s", name)
		}
	}
}

// TestIdsInPagesAreCurrent compares names of result sets in pages with the ids of today's sweeps.
func TestIdsInPagesAreCurrent(t *testing.T) {
	sets, err := resultSets(root)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := pageFiles(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		text := read(t, page)
		if withIDs(text, sets) != text {
			t.Errorf("%s names a result set with the id of an earlier sweep: run make paper", page)
		}
	}
}

// TestHeadersStateNothingElse: the numbers of an example's header that are not in sentences made
// from its rows are parameters of the sweep below, or constants of the theory.
func TestHeadersStateNothingElse(t *testing.T) {
	constants := strings.Fields("0 1 2 3 4 8 90 99 100")
	for _, name := range examples(t) {
		header, body, _ := strings.Cut(read(t, exampleFile(name)), "\nname:")
		text := flowing(header)
		for _, s := range sections() {
			for _, c := range s.claims {
				if !slices.Contains(c.examples, name) {
					continue
				}
				m, err := c.run(t.Context(), tested)
				if err != nil {
					t.Fatal(err)
				}
				for _, q := range m.quotes {
					if q.file == exampleFile(name) {
						text = strings.ReplaceAll(text, flowing(q.text), "")
					}
				}
			}
		}
		for _, n := range plainNumber.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(constants, n[1]) && !slices.Contains(numbersOf(body), n[1]) {
				t.Errorf("the header of %s says %q, which no test compares with its rows", name, n[1])
			}
		}
	}
}

// plainNumber is a number that is not part of a name such as steps_to_90.
var plainNumber = regexp.MustCompile(`(?:^|[^\w.])(\d+(?:\.\d+)?(?:e-?\d+)?)\b`)

func numbersOf(text string) []string {
	var numbers []string
	for _, n := range plainNumber.FindAllStringSubmatch(text, -1) {
		numbers = append(numbers, n[1])
	}
	return numbers
}
