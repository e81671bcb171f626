package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The Python lines of the documentation keep seeds exact that a float64 would round, beside points
// without a seed.
func TestPythonLinesKeepSeedsExact(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(python, "-c", "import pandas, polars, pyarrow").Run()
	}
	if err != nil {
		t.Skipf("python3 with pandas, polars and pyarrow: %v", err)
	}
	page, err := os.ReadFile("../../docs/result-set.md")
	if err != nil {
		t.Fatal(err)
	}
	set := runSweep(t, `
name: seed-nulls
fixed: {covariance: spiked, anisotropy: 2, dimension: 10, steps: 9, init_scale: 0.1, learning_rate: 0.01, optimizer: gd}
grid: {seed: [9007199254740993, 9223372036854775807], init: [identity, gaussian]}
record: none
`)
	read := 0
	var lines strings.Builder
	for _, block := range regexp.MustCompile("(?s)```python\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(strings.ReplaceAll(block[1], "results/<set>", set.Dir())) {
			lines.WriteString(line)
			if strings.HasPrefix(line, "points =") {
				read++
				lines.WriteString(
					"print(sorted(int(s) for s in points['seed'] if s is not None and s is not pandas.NA))\n",
				)
			}
		}
	}
	out, err := exec.Command(python, "-c", lines.String()).CombinedOutput()
	want := strings.Repeat("[9007199254740993, 9223372036854775807]\n", read)
	if err != nil || read < 2 || string(out) != want {
		t.Errorf("%v: got\n%s\nwant\n%s", err, out, want)
	}
}
