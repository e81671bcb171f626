package coordinator_test

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/store"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
)

// crashSweep has several parts, so that at a crash in one others are done, merged or open.
const crashSweep = `
name: crash
fixed:
  {model: population, covariance: power_law, exponent: 1, init: identity, init_scale: 0.01,
   steps: 200000, learning_rate: 0.001, optimizer: gd}
grid:
  dimension: [10, 20]
  teacher_index: {range: {from: 0, to: 9, step: 1}}
  label_noise: {linspace: {from: 0, to: 1, num: 40}}
record: {every: 20}
`

// crashSteps are the steps of the crash table in doc.go, by the course in which they occur, with
// the number of passes before the process dies there.
var crashSteps = []struct {
	course string
	step   string
	pass   int
}{
	{"run", "before-submit", 0}, {"run", "after-submit", 0}, {"run", "before-spool", 3},
	{"run", "after-spool", 0}, {"run", "before-commit", 3}, {"run", "after-commit", 0},
	{"run", "after-commit", 3}, {"run", "before-merge", 1}, {"run", "before-publish", 1},
	{"run", "between-files", 0}, {"run", "between-files", 4}, {"run", "after-publish", 1},
	{"run", "after-part", 1}, {"run", "after-free", 1}, {"run", "before-manifest", 0},
	{"run", "after-manifest", 0}, {"run", "after-done", 0},
	{"compact", "before-compact", 0}, {"compact", "after-compact", 0},
	{"pause", "before-save", 0}, {"pause", "after-save", 0},
	{"resume", "before-save", 0}, {"resume", "after-save", 0},
	{"cancel", "before-save", 0}, {"cancel", "after-save", 0},
	{"retry", "before-save", 0}, {"retry", "after-save", 0}, {"retry", "before-replace", 0},
	{"retry", "between-replace", 0}, {"retry", "between-replace", 1}, {"retry", "between-files", 0},
	{"retry", "after-publish", 0}, {"retry", "after-part", 0}, {"retry", "before-replace", 2},
	{"retry", "between-replace", 2},
	{"reopen", "before-save", 0}, {"reopen", "after-save", 0}, {"reopen", "before-merge", 0},
	{"reopen", "between-files", 0}, {"reopen", "after-part", 0},
	{"lose", "before-lost", 0}, {"lose", "after-lost", 0}, {"lose", "after-part", 0},
	{"remove", "before-save", 0}, {"remove", "after-save", 0}, {"remove", "between-deletions", 0},
	{"remove", "between-deletions", 5}, {"remove", "before-drop", 0}, {"remove", "after-drop", 0},
}

// TestCrash kills a coordinator at each step of the table, starts it again, and compares the result
// with an undisturbed run.
func TestCrash(t *testing.T) {
	if os.Getenv("PHASEGRID_CRASH_FOLDER") != "" {
		t.Skip("this is the process that dies")
	}
	t.Parallel()
	undisturbed := map[string]map[string]string{} // by sweep file
	for _, course := range []string{"run", "compact"} {
		folder := t.TempDir()
		if died := crashRun(t, folder, course, "", 0); died {
			t.Fatalf("the undisturbed run of %s died", course)
		}
		undisturbed[fileOf(course)] = hashes(t, filepath.Join(folder, "store"))
	}
	for _, c := range crashSteps {
		t.Run(fmt.Sprintf("%s-%s-%d", c.course, c.step, c.pass), func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if died := crashRun(t, folder, c.course, c.step, c.pass); !died {
				t.Fatalf("step %s is not passed %d times", c.step, c.pass+1)
			}
			if died := crashRun(t, folder, c.course, "", 0); died {
				t.Fatal("the second run died too")
			}
			if got, want := hashes(t, filepath.Join(folder, "store")), undisturbed[fileOf(c.course)]; !maps.Equal(
				got,
				want,
			) {
				t.Errorf("there are the files %v, in an undisturbed run %v", got, want)
			}
			checkManifest(t, filepath.Join(folder, "store"))
			if !courses[c.course].anew {
				checkLog(t, filepath.Join(folder, "log"))
			}
		})
	}
}

// checkManifest compares the only result set of a store with its manifest.
func checkManifest(t *testing.T, store string) {
	t.Helper()
	sets, err := filepath.Glob(filepath.Join(store, "*", results.ManifestName))
	if err != nil || len(sets) != 1 {
		t.Fatalf("there are the manifests %v, %v", sets, err)
	}
	checkSums(t, filepath.Dir(sets[0]))
}

// checkLog reads what the nodes did, in order: no shard may be computed after it was acknowledged.
func checkLog(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	acked := map[string]bool{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		what, shard, _ := strings.Cut(lines.Text(), " ")
		switch {
		case what == "acked":
			acked[shard] = true
		case what == "computed" && acked[shard]:
			t.Errorf("shard %s was acknowledged and is computed again", shard)
		}
	}
	if len(acked) == 0 {
		t.Error("nothing was acknowledged")
	}
}

// crashRun runs a course in a process of its own, which kills itself at a step after pass passes.
func crashRun(t *testing.T, folder, course, step string, pass int) (died bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashProcess$", "-test.v")
	cmd.Env = append(os.Environ(), "PHASEGRID_CRASH_FOLDER="+folder, "PHASEGRID_CRASH_COURSE="+course,
		"PHASEGRID_CRASH_STEP="+step, "PHASEGRID_CRASH_PASS="+strconv.Itoa(pass))
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() && s.Signal() == syscall.SIGKILL {
		return true
	}
	t.Fatalf("the process failed: %v\n%s", err, out)
	return false
}

// crashing is the process that dies: a coordinator on embedded etcd, one node, one client.
type crashing struct {
	*cluster
	t     *testing.T
	file  string // of the sweep
	store string
	spool string
	log   *os.File
	again bool // an earlier process died
	armed atomic.Bool
}

// courses are what happens to a sweep. Each ends with all rows; a process continues what an earlier
// one began. In a course with anew, acknowledged shards are computed again.
var courses = map[string]struct {
	take func(c *crashing, ctx context.Context)
	anew bool
}{
	"run":     {take: (*crashing).run},
	"compact": {take: (*crashing).run},
	"pause":   {take: (*crashing).pause},
	"resume":  {take: (*crashing).resume},
	"cancel":  {take: (*crashing).cancel},
	"retry":   {take: (*crashing).retry},
	"reopen":  {take: (*crashing).reopen, anew: true},
	"lose":    {take: (*crashing).lose, anew: true},
	"remove":  {take: (*crashing).remove, anew: true},
}

// fileOf is the sweep file of a course. Keys are compacted in a part of many shards.
func fileOf(course string) string {
	if course == "compact" {
		return smallSweep
	}
	return crashSweep
}

// TestCrashProcess is run by TestCrash, in processes of its own.
func TestCrashProcess(t *testing.T) {
	folder := os.Getenv("PHASEGRID_CRASH_FOLDER")
	if folder == "" {
		t.Skip("only run by TestCrash")
	}
	pass, err := strconv.Atoi(os.Getenv("PHASEGRID_CRASH_PASS"))
	if err != nil {
		t.Fatal(err)
	}
	course := os.Getenv("PHASEGRID_CRASH_COURSE")
	c := &crashing{
		t:     t,
		file:  fileOf(course),
		store: filepath.Join(folder, "store"),
		spool: filepath.Join(folder, "spool"),
	}
	sets, err := store.OpenFolder(c.store)
	if err != nil {
		t.Fatal(err)
	}
	spool, err := store.OpenFolder(c.spool)
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(filepath.Join(folder, "log"))
	c.again = err == nil
	c.log, err = os.OpenFile(filepath.Join(folder, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer c.log.Close()
	cfg := coordinator.Config{
		Embedded:       filepath.Join(folder, "state"),
		Store:          sets,
		Spool:          spool,
		ReconnectGrace: 50 * time.Millisecond,
	}
	c.cluster = start(t, coordinator.FailingAt(cfg, c.dieAt(os.Getenv("PHASEGRID_CRASH_STEP"), pass)))
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	c.leading(ctx)
	courses[course].take(c, ctx)
}

// dieAt kills this process at a step after pass passes since it was armed.
func (c *crashing) dieAt(step string, pass int) func(string) {
	var mu sync.Mutex
	return func(name string) {
		mu.Lock()
		defer mu.Unlock()
		if name != step || !c.armed.Load() {
			return
		}
		if pass--; pass < 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until the signal is here
		}
	}
}

func (c *crashing) run(ctx context.Context) {
	c.armed.Store(true)
	id := c.submit(ctx, c.file).GetSweep().GetId()
	defer c.work(ctx)()
	c.done(ctx, id)
}

func (c *crashing) pause(ctx context.Context) {
	id := c.submit(ctx, c.file).GetSweep().GetId()
	c.armed.Store(true)
	c.must(c.sweeps.Pause(ctx, &pb.PauseRequest{Sweep: id}))
	c.armed.Store(false)
	c.must(c.sweeps.Resume(ctx, &pb.ResumeRequest{Sweep: id}))
	defer c.work(ctx)()
	c.done(ctx, id)
}

func (c *crashing) resume(ctx context.Context) {
	id := c.submit(ctx, c.file).GetSweep().GetId()
	c.must(c.sweeps.Pause(ctx, &pb.PauseRequest{Sweep: id}))
	c.armed.Store(true)
	c.must(c.sweeps.Resume(ctx, &pb.ResumeRequest{Sweep: id}))
	c.armed.Store(false)
	defer c.work(ctx)()
	c.done(ctx, id)
}

func (c *crashing) cancel(ctx context.Context) {
	id := c.submit(ctx, c.file).GetSweep().GetId()
	c.armed.Store(true)
	c.must(c.sweeps.Cancel(ctx, &pb.CancelRequest{Sweep: id}))
	c.armed.Store(false)
	c.submit(ctx, c.file)
	defer c.work(ctx)()
	c.done(ctx, id)
}

func (c *crashing) retry(ctx context.Context) {
	id := c.submit(ctx, c.file).GetSweep().GetId()
	if !c.again {
		c.quarantine(ctx, c.t, id)
	}
	defer c.work(ctx)()
	if last := c.wait(ctx, id); last.GetProgress().GetShardsQuarantined() > 0 {
		c.armed.Store(true)
		c.must(c.sweeps.Retry(ctx, &pb.RetryRequest{Sweep: id}))
	}
	c.done(ctx, id)
}

// reopen deletes a file of a sweep that is done.
func (c *crashing) reopen(ctx context.Context) {
	m := c.submit(ctx, c.file).GetSweep()
	defer c.work(ctx)()
	c.done(ctx, m.GetId())
	if !c.again {
		if err := os.Remove(filepath.Join(c.store, m.GetResultSet(), "points", "part-000000.parquet")); err != nil {
			c.t.Fatal(err)
		}
	}
	c.armed.Store(true)
	c.submit(ctx, c.file)
	c.done(ctx, m.GetId())
}

// lose cuts the spool short while the second part is computed.
func (c *crashing) lose(ctx context.Context) {
	c.armed.Store(true)
	id := c.submit(ctx, c.file).GetSweep().GetId()
	var acked atomic.Int64
	defer c.serve(ctx, &coordtest.Node{Name: fmt.Sprint("node-", os.Getpid()), Computed: c.note("computed"),
		Delivered: func(d coordtest.Delivered) error {
			if acked.Add(1) == 1 && !c.again {
				for _, object := range spooled(c.t, c.spool) {
					if err := os.Truncate(object, 100); err != nil {
						return err
					}
				}
			}
			return c.noteAcked(d)
		}})()
	c.done(ctx, id)
}

func (c *crashing) remove(ctx context.Context) {
	defer c.work(ctx)()
	if !c.again {
		c.done(ctx, c.submit(ctx, c.file).GetSweep().GetId())
	}
	c.armed.Store(true)
	list, err := c.sweeps.List(ctx, &pb.ListRequest{})
	c.must(list, err)
	for _, m := range list.GetSweeps() {
		if _, err := c.sweeps.Delete(ctx, &pb.DeleteRequest{Sweep: m.GetId()}); err != nil &&
			status.Code(err) != codes.NotFound {
			c.t.Fatal(err)
		}
	}
	if files := contents(c.t, c.store); len(files) != 0 {
		c.t.Errorf("%d files are left after the removal", len(files))
	}
	c.done(ctx, c.submit(ctx, c.file).GetSweep().GetId())
}

// work runs a node that writes down what it does, until stop is called.
func (c *crashing) work(ctx context.Context) (stop func()) {
	return c.serve(
		ctx,
		&coordtest.Node{Name: fmt.Sprint("node-", os.Getpid()), Computed: c.note("computed"), Delivered: c.noteAcked},
	)
}

// note writes down what was done with a shard.
func (c *crashing) note(what string) func(shard int64) {
	return func(shard int64) { fmt.Fprintf(c.log, "%s %d\n", what, shard) }
}

// noteAcked writes down that a shard was acknowledged.
func (c *crashing) noteAcked(d coordtest.Delivered) error {
	if d.Committed() {
		c.note("acked")(d.Shard)
	}
	return nil
}

// done waits until the sweep is done with all rows.
func (c *crashing) done(ctx context.Context, id string) {
	c.t.Helper()
	last := c.wait(ctx, id)
	if p := last.GetProgress(); last.GetPhase() != pb.Phase_PHASE_DONE || p.GetPointsDone() != p.GetIndices() {
		c.t.Errorf("ended as %v", last)
	}
}

func (c *crashing) must(_ any, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}
