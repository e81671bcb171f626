package sweep_test

import (
	"os"
	"strings"
	"testing"
)

// The sweep files that the documentation shows are correct.
func TestDocumentedFilesParse(t *testing.T) {
	page, err := os.ReadFile("../docs/sweep-file.md")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, block := range strings.Split(string(page), "```yaml\n")[1:] {
		src, _, _ := strings.Cut(block, "```")
		if strings.HasPrefix(src, "name:") {
			files++
			if warnings := parse(t, src).Warnings(); len(warnings) > 0 {
				t.Errorf("%s\n%s", src, strings.Join(warnings, "\n"))
			}
		}
	}
	if files < 3 {
		t.Errorf("the page shows %d files, want at least 3", files)
	}
}
