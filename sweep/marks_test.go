package sweep_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

// TestTooManyMarks: a file with too much punctuation is refused in words that are true, at the
// place where it is too much or, where only its stored form has too much, as a whole.
func TestTooManyMarks(t *testing.T) {
	for _, c := range []struct {
		rows, line int
		text       string
	}{{12_000, 10_000, "commas, colons and quotes"}, {7_000, 1, "canonical form: file: got more than"}} {
		var file strings.Builder
		file.WriteString("name: rows\npoints:\n")
		for i := range c.rows {
			fmt.Fprintf(&file, "  - {steps: %d, dimension: 10, anisotropy: 2, init_scale: 0.1, seed: 3}\n", i+1)
		}
		_, err := sweep.Parse("rows.yaml", []byte(file.String()), sweep.Limits{})
		var mistakes sweep.Mistakes
		if !errors.As(err, &mistakes) || len(mistakes) != 1 {
			t.Fatalf("Parse = %v", err)
		}
		if p := mistakes[0]; p.Line < c.line || !strings.Contains(p.Text, c.text) {
			t.Errorf("refused at line %d: %s", p.Line, p.Text)
		}
	}
}
