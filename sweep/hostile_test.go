package sweep_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

// hostile are files made to cost memory, stack or time.
func hostile() map[string]func() string {
	repeat := func(s string, bytes int) string { return strings.Repeat(s, bytes/len(s)) }
	numbered := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	const head = "name: x\nfixed: {covariance: spiked, anisotropy: 3, dimension: 10, init_scale: 0.1, " +
		"learning_rate: 0.1, optimizer: gd, steps: 5}\n"
	const sample = "sample: {method: lhs, num: 9, axes: {"
	formula := strings.Repeat("anisotropy + ", 150) + "1"
	return map[string]func() string{
		"list":          func() string { return "a: [" + repeat("1,", 290_000) + "1]\n" },
		"list too long": func() string { return "a: [" + repeat("1,", 4_000_000) + "1]\n" },
		"long numbers": func() string {
			return head + "grid: {rho: [" + repeat("0.12345678901234567890, ", 3_300_000) + "0.5]}\n"
		},
		"block list":     func() string { return "a:\n" + repeat("- 1\n", 290_000) },
		"keys":           func() string { return numbered("k%d: 1\n", 70_000) },
		"flow keys":      func() string { return "a: {" + numbered("k%d: 1, ", 70_000) + "}\n" },
		"bare flow keys": func() string { return "a: {" + numbered("k%d, ", 70_000) + "}\n" },
		"many mappings": func() string {
			return head + "points:\n" + numbered("  - {teacher_index: %d, seed: 1}\n",
				20_000)
		},
		"entries": func() string {
			return head + "zip: {schedule: [" + numbered("{name: cosine, weight_decay: 1e-%d}, ", 18_000) + "linear]}\n"
		},
		"brackets":        func() string { return repeat("[", 4_000_000) },
		"brackets closed": func() string { return strings.Repeat("[", 70_000) + strings.Repeat("]", 70_000) },
		"braces":          func() string { return repeat("{a: ", 4_000_000) },
		"dashes":          func() string { return repeat("- ", 140_000) + "1\n" },
		"questions":       func() string { return repeat("? ", 140_000) + "1\n" },
		"indentation": func() string {
			var b strings.Builder
			for i := range 1500 {
				b.WriteString(strings.Repeat(" ", i) + "a:\n")
			}
			return b.String()
		},
		"string":        func() string { return "name: \"" + repeat("x", 4_000_000) + "\"\n" },
		"plain string":  func() string { return "name: " + repeat("x ", 4_000_000) + "\n" },
		"folded string": func() string { return "name: >\n" + repeat("  x y z\n", 1_100_000) },
		"comments":      func() string { return head + repeat("# x\n", 290_000) },
		"blank":         func() string { return repeat("\n", 149_000) },
		"spaces":        func() string { return repeat(" ", 4_000_000) },
		"too large":     func() string { return repeat("x", sweep.MaxFileBytes+1) },
		"nul bytes":     func() string { return repeat("\x00", 4_000_000) },
		"not text":      func() string { return repeat("\xff", 4_000_000) },
		"formulas": func() string {
			return head + "union:\n" + strings.Repeat("  - {where: '"+formula+" > 0'}\n",
				900)
		},
		"ranges":     func() string { return head + "where: " + strings.Repeat("sum(1..999) + ", 100) + "1 > 0\n" },
		"long range": func() string { return head + "where: 5 in 1..100000000\n" },
		"large spec": func() string {
			return head + "grid: {rho: {linspace: {from: 0.1, to: 0.2, num: 1000}}, " +
				"seed: {range: {from: 1, to: 1000, step: 1}}}\n"
		},
		"weights": func() string {
			return head + sample + "rho: {choice: [" + repeat("0.5,", 280_000) + "0.5], weights: [" +
				repeat("9e307,", 420_000) + "1e-307]}}}\n"
		},
		"long weights": func() string {
			digits := strings.Repeat("7", 99)
			return head + sample + "rho: {choice: [" + repeat("0.5,", 96_000) + "0.5], weights: [" +
				strings.Repeat(digits+",", 24_000) + digits + "]}}}\n"
		},
		"normals": func() string {
			const normal = "{normal: {mean: 0.5, sd: 0.033}, from: 0.01, to: 0.99}"
			return head + "union:\n" + strings.Repeat("  - {"+sample+"rho: "+normal+", beta1: "+normal+"}}}\n", 1000)
		},
		"long steps": func() string {
			return head + sample + "rho: {from: 0, to: 1, step: 0." + strings.Repeat("0", 11) +
				strings.Repeat("1", 90) + "}}}\n"
		},
		"blocks": func() string {
			return head + "union:\n" + strings.Repeat("  - {fixed: {steps: 7}}\n",
				1000)
		},
		"too many blocks": func() string {
			return head + "union:\n" + strings.Repeat("  - {fixed: {steps: 7}}\n",
				1001)
		},
		"all wrong": func() string {
			return head + "points:\n" + strings.Repeat("  - {teacher_index: 1000}\n",
				25_000)
		},
		"billion laughs": func() string {
			s := "a0: &a0 [x]\n"
			for i := range 30 {
				s += fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
			}
			return s
		},
	}
}

// A process that reads a hostile file stays below 256 MB, and does not crash.
func TestHostileFilesStayBelow256MB(t *testing.T) {
	if name := os.Getenv("HOSTILE"); name != "" {
		_, err := sweep.Parse("sweep.yaml", []byte(hostile()[name]()), sweep.Limits{})
		first, _, _ := strings.Cut(fmt.Sprint(err), "\n")
		fmt.Println(first[:min(200, len(first))])
		return
	}
	if raceDetector {
		t.Skip("the race detector takes memory of its own")
	}
	var names []string
	for name := range hostile() {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			child := exec.Command(os.Args[0], "-test.run=^TestHostileFilesStayBelow256MB$")
			child.Env = append(os.Environ(), "HOSTILE="+name)
			out, err := child.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %.2000s", err, out)
			}
			usage := child.ProcessState.SysUsage().(*syscall.Rusage)
			t.Logf(
				"%d MB, %v: %s",
				usage.Maxrss>>10,
				child.ProcessState.UserTime(),
				strings.SplitN(string(out), "\n", 2)[0],
			)
			if usage.Maxrss > 256<<10 {
				t.Errorf("reading took %d MB", usage.Maxrss>>10)
			}
		})
	}
}
