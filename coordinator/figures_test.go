package coordinator_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

// TestFiguresOfTheLatestSubmission: the figures of a sweep are those of the last file that was
// submitted with any, also for a later leader, before and after the sweep is done.
func TestFiguresOfTheLatestSubmission(t *testing.T) {
	t.Parallel()
	sets, dir := fileStore(t)
	cfg := coordinator.Config{Ledger: ledger.NewMemory(), Store: sets}
	ctx := deadline(t)
	c := start(t, cfg)
	c.leading(ctx)
	with := func(name string) string { return smallSweep + "figures: [{name: " + name + ", kind: bars}]\n" }
	m := c.submit(ctx, with("first")).GetSweep()
	file := filepath.Join(dir, m.GetResultSet(), "sweep.yaml")
	has := func(name string) {
		t.Helper()
		if data, err := os.ReadFile(file); err != nil || !strings.Contains(string(data), `"name": "`+name+`"`) {
			t.Errorf("the figure %s is not in %s, %v", name, data, err)
		}
	}
	has("first")
	if again := c.submit(ctx, with("second")); again.GetCreated() || again.GetSweep().GetId() != m.GetId() {
		t.Error("other figures make another sweep")
	}
	has("second")
	c.submit(ctx, smallSweep) // without figures: they stay
	has("second")
	c.stop()
	c = start(t, cfg)
	c.leading(ctx)
	stop := c.serve(ctx, &coordtest.Node{Name: "n"})
	c.wait(ctx, m.GetId())
	stop()
	has("second")
	c.submit(ctx, with("third"))
	has("third")
	if err := os.WriteFile(file, []byte("of an earlier figure"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.submit(ctx, with("third"))
	has("third")
	checkSmallSet(t, filepath.Join(dir, m.GetResultSet()))
}
