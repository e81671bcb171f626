package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlotFlags: the flags are the keys of figures, a figure alone has no number in its file's
// name, and what cannot be is a mistake of usage.
func TestPlotFlags(t *testing.T) {
	set := runSweep(t, strings.Replace(askedSweep, "name: asked", "name: asked\nfigures: [{kind: bars}]", 1))
	t.Chdir(t.TempDir())
	got := phasegrid(t, "plot", set.Dir(), "--title", "Bars", "--format", "svg", "--no-caption")
	want := filepath.Base(set.Dir()) + ".svg"
	if got.code != exitDone || strings.TrimSpace(got.stdout) != want {
		t.Fatalf("got exit code %d, %q, want %s\n%s", got.code, got.stdout, want, got.stderr)
	}
	if svg, err := os.ReadFile(want); err != nil || !strings.Contains(string(svg), "<title>Bars</title>") ||
		!strings.Contains(string(svg), "--kind bars") {
		t.Errorf("%v: the flags of the look are not those of the sweep file's figure:\n%.900s", err, svg)
	}
	got = phasegrid(t, "plot", set.Dir(), "--y", "1 - signal_alignment", "--kind", "bars", "--to", "x.pdf")
	if got.code != exitDone {
		t.Errorf("expression: exit code %d\n%s", got.code, got.stderr)
	}
	for _, args := range [][]string{
		{"--format", "png", "--to", "x.svg"}, {"--format", "gif"}, {"--size", "0x3"}, {"--dpi", "1"}, {"--kind", "pie"},
		{"--y", "1 - no_such"}, {"--x-lim", "2,1"}, {"--figure", "1", "--x", "dimension"}, {"--size", "0.6x0.6in"},
	} {
		if got := phasegrid(t, append([]string{"plot", set.Dir()}, args...)...); got.code != exitUsage {
			t.Errorf("%v: got exit code %d, want %d\n%s", args, got.code, exitUsage, got.stderr)
		}
	}
}
