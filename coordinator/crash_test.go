package coordinator_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// crashSweep has several parts, so that a crash in one finds others done, merged and open.
const crashSweep = `
name: crash
fixed: {model: population, covariance: power_law, exponent: 1, init: identity, init_scale: 0.01, steps: 200000, learning_rate: 0.001, optimizer: gd}
grid:
  dimension: [10, 20]
  teacher_index: {range: {from: 0, to: 9, step: 1}}
  label_noise: {linspace: {from: 0, to: 1, num: 40}}
record: {every: 20}
`

// crashSteps are the steps of doc.go's table, each with how often it is passed before the process dies there.
var crashSteps = []struct {
	step string
	pass int
}{
	{"before-submit", 0}, {"after-submit", 0}, {"before-spool", 3}, {"after-spool", 0}, {"before-commit", 3}, {"after-commit", 0},
	{"after-commit", 3}, {"before-merge", 1}, {"before-publish", 1}, {"between-files", 0}, {"between-files", 4}, {"after-publish", 1},
	{"after-part", 1}, {"after-free", 1}, {"before-manifest", 0}, {"after-manifest", 0}, {"after-done", 0},
}

// TestCrash kills a coordinator at each step of the table, starts it again, and holds the result against an undisturbed run.
func TestCrash(t *testing.T) {
	if os.Getenv("PHASEGRID_CRASH_FOLDER") != "" {
		t.Skip("this is the process that dies")
	}
	t.Parallel()
	undisturbed := t.TempDir()
	if died := crashRun(t, undisturbed, "", 0); died {
		t.Fatal("the undisturbed run died")
	}
	want := hashes(t, filepath.Join(undisturbed, "store"))
	if len(want) < 4 {
		t.Fatalf("the undisturbed run wrote %v", want)
	}
	for _, c := range crashSteps {
		t.Run(fmt.Sprintf("%s-%d", c.step, c.pass), func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if died := crashRun(t, folder, c.step, c.pass); !died {
				t.Fatalf("step %s is not passed %d times", c.step, c.pass+1)
			}
			if died := crashRun(t, folder, "", 0); died {
				t.Fatal("the second run died too")
			}
			got := hashes(t, filepath.Join(folder, "store"))
			for name := range want {
				if got[name] != want[name] {
					t.Errorf("%s differs from the undisturbed run's", name)
				}
			}
			if len(got) != len(want) {
				t.Errorf("there are %d files, want %d", len(got), len(want))
			}
			checkLog(t, filepath.Join(folder, "log"))
		})
	}
}

// checkLog reads what the processes did in order: no shard may be computed once it was acknowledged.
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

// crashRun runs the sweep in a process of its own, which kills itself when it comes to a step for the pass-th time.
func crashRun(t *testing.T, folder, step string, pass int) (died bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashProcess$", "-test.v")
	cmd.Env = append(os.Environ(), "PHASEGRID_CRASH_FOLDER="+folder, "PHASEGRID_CRASH_STEP="+step, "PHASEGRID_CRASH_PASS="+strconv.Itoa(pass))
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

// TestCrashProcess is the process that dies: coordinator on embedded etcd, one node, one client.
func TestCrashProcess(t *testing.T) {
	folder := os.Getenv("PHASEGRID_CRASH_FOLDER")
	if folder == "" {
		t.Skip("only run by TestCrash")
	}
	step := os.Getenv("PHASEGRID_CRASH_STEP")
	pass, err := strconv.Atoi(os.Getenv("PHASEGRID_CRASH_PASS"))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	store, err := coordinator.OpenFileStore(filepath.Join(folder, "store"))
	if err != nil {
		t.Fatal(err)
	}
	spool, err := coordinator.OpenFileStore(filepath.Join(folder, "spool"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := coordinator.Config{Embedded: filepath.Join(folder, "state"), Store: store, Spool: spool}
	c := start(t, coordinator.FailingAt(cfg, func(name string) {
		mu.Lock()
		defer mu.Unlock()
		if name != step {
			return
		}
		if pass--; pass < 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until the signal is here
		}
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	c.leading(ctx)
	log, err := os.OpenFile(filepath.Join(folder, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	id := c.submit(ctx, crashSweep).GetSweep().GetId()
	node := &zeroNode{name: fmt.Sprint("node-", os.Getpid()), log: log}
	ended := make(chan error, 1)
	nodeCtx, stopNode := context.WithCancel(ctx)
	go func() { ended <- node.run(nodeCtx, c.nodes) }()
	if last := c.wait(ctx, id); last.GetPhase() != pb.Phase_PHASE_DONE || last.GetProgress().GetPointsDone() != 800 {
		t.Errorf("ended as %v", last)
	}
	stopNode()
	<-ended
}
