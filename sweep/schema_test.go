package sweep_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/phasegrid/phasegrid/sweep"
)

// beyondSchema are the bad files whose mistakes no schema can see: rules between parameters,
// expressions, sizes.
func beyondSchema() []string {
	return []string{
		"auto-learning-rate", "block-counts", "dimension-one-spiked", "eigenvalue-count", "eight-terabytes",
		"empty-where", "expression-comment", "expression-cycle", "expression-cycle-through-auto",
		"expression-huge-list", "expression-huge-range",
		"expression-infinite", "expression-long-list", "expression-nan", "expression-nested-loop",
		"expression-not-whole", "expression-out-of-bounds",
		"expression-overflow", "expression-self", "expression-syntax", "expression-types",
		"expression-unknown-function",
		"expression-unknown-name", "expression-unset", "expression-costly", "expression-costly-together",
		"expression-never", "expression-wrong-word", "integer-linspace", "missing-parameters",
		"variables-undeclared", "variables-unset", "variables-word",
		"anisotropy-minus-one-on-axis", "record-steps", "record-steps-beyond", "reduced-impossible",
		"replicates-and-seed", "seed-overflow", "set-twice",
		"set-twice-union", "set-twice-entry", "teacher-index", "teacher-weights", "too-many-costs", "too-many-points",
		"width-identity", "zip-lengths", "zip-overlap",
	}
}

// notYAML are the bad files whose mistakes are lost, or fatal, on the way to JSON.
func notYAML() []string {
	return []string{
		"alias-one", "aliases", "merge-key", "tag", "duplicate-key", "duplicate-axis", "nul-byte", "not-utf8",
		"two-documents",
		"syntax-colon", "syntax-flow", "syntax-indent", "syntax-tab", "syntax-quote", "number-forms",
	}
}

func TestSchemaAgreesWithParser(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(sweep.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("sweep.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("sweep.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(t *testing.T, src []byte) error {
		t.Helper()
		var file any // by YAML 1.2, in which y is no truth value
		if err := yaml.Unmarshal(src, &file); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml", "examples/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".yaml")
			if slices.Contains(notYAML(), name) {
				continue
			}
			t.Run(name, func(t *testing.T) {
				src, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				good := filepath.Base(filepath.Dir(file)) != "bad" || slices.Contains(beyondSchema(), name)
				if err := validate(t, src); (err == nil) != good {
					t.Errorf("the schema says %v", err)
				}
			})
		}
	}
	// A canonical spec is a sweep file too, but for its name.
	for _, src := range goodFiles(t) {
		canonical := parse(t, src).Canonical()
		if err := validate(t, append([]byte(`{"name": "x", `), canonical[1:]...)); err != nil {
			t.Errorf("%s: %v", canonical, err)
		}
	}
}
