package sweep_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

var update = flag.Bool("update", false, "write the golden files; read every difference before committing it")

// Each testdata/bad/*.yaml is wrong in the ways that its .golden file lists.
func TestBadFilesSayWhatIsWrong(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d bad files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = sweep.Parse("sweep.yaml", src, sweep.Limits{})
			if err == nil {
				t.Fatal("no error")
			}
			var mistakes sweep.Mistakes
			if !errors.As(err, &mistakes) {
				t.Fatalf("%T is not sweep.Mistakes", err)
			}
			lines := strings.Count(string(src), "\n") + 1
			for _, p := range mistakes {
				if p.Line < 1 || p.Line > lines || p.Column < 1 || strings.ContainsAny(p.Text, "\n\x00") ||
					p.Text == "" {
					t.Errorf("%+v points outside the file, or is not one line of text", p)
				}
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			got := err.Error() + "\n"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}
