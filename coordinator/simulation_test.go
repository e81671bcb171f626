package coordinator

import (
	"flag"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

var (
	simSeeds = flag.Int("sim.seeds", 50, "seeds of TestSimulation")
	simFirst = flag.Uint64("sim.first", 1, "first seed of TestSimulation")
	simPrint = flag.Bool("sim.log", false, "print what happens in TestSimulation")
)

// TestSimulation runs a cluster under random schedules and faults, a seed each, and then without
// faults until its sweeps are done: no acknowledged shard may be granted again, and every file must
// have the bytes of an undisturbed run. A seed that fails is repeated with
// -sim.seeds 1 -sim.first SEED -sim.log.
func TestSimulation(t *testing.T) {
	simDeliveries.prepare()
	want := undisturbed(t)
	for i := range *simSeeds {
		seed := *simFirst + uint64(i)
		if broken, _ := simulate(t, seed, want); len(broken) > 0 {
			t.Errorf("seed %d: %s", seed, strings.Join(broken, "\n"))
		}
	}
}

// TestSimulationRepeats: the same seed is the same schedule.
func TestSimulationRepeats(t *testing.T) {
	simDeliveries.prepare()
	want := undisturbed(t)
	for seed := range uint64(5) {
		_, first := simulate(t, seed, want)
		if _, again := simulate(t, seed, want); again != first {
			t.Errorf("seed %d: got trace %s, want %s as before", seed, again, first)
		}
	}
}

// undisturbed returns the files of a run without faults.
func undisturbed(t *testing.T) (files map[string][]byte) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(0, nil)
		w.faults = false
		w.begin()
		w.finish()
		w.end()
		if len(w.broken) > 0 {
			t.Fatalf("without faults: %s", strings.Join(w.broken, "\n"))
		}
		files = w.store.files()
	})
	return files
}

// simulate runs one seed and returns the broken promises and the hash of the trace.
func simulate(t *testing.T, seed uint64, want map[string][]byte) (broken []string, trace string) {
	synctest.Test(t, func(t *testing.T) {
		var log *os.File
		w := newWorld(seed, nil)
		if *simPrint {
			log = os.Stderr
			w.log = log
		}
		w.begin()
		for range 150 + w.random.IntN(400) {
			w.settle()
			w.decide()
		}
		w.finish()
		w.end()
		if len(w.broken) == 0 {
			if err := w.equalFiles(want); err != nil {
				w.violated("%v", err)
			}
		}
		broken, trace = w.broken, w.sum()
	})
	return broken, trace
}

// begin starts coordinators and nodes.
func (w *world) begin() {
	w.client = newSimClient(w)
	for range 2 {
		w.start()
	}
	for i := range 3 {
		w.nodes = append(w.nodes, &simNode{world: w, number: i + 1})
	}
}

// decide takes one decision of the scheduler.
func (w *world) decide() {
	w.mu.Lock()
	runnable := w.runnable()
	w.mu.Unlock()
	switch r := w.random.IntN(100); {
	case r < 60 && len(runnable) > 0:
		w.perform(runnable[w.random.IntN(len(runnable))])
	case r < 65:
		w.sleep(time.Duration(w.random.IntN(3_000_000)) * time.Microsecond)
	case r < 80:
		w.sleep(time.Duration(w.random.IntN(50_000)) * time.Microsecond)
	case r < 95:
		w.moveNode(w.nodes[w.random.IntN(len(w.nodes))])
	case r < 98:
		w.moveClient()
	default:
		w.moveProcess()
	}
}

// moveNode has a node do something.
func (w *world) moveNode(n *simNode) {
	w.mu.Lock()
	attached, leases := n.process, n.leases
	var next *simLease
	for _, l := range leases {
		if !l.delivering {
			next = l
			break
		}
	}
	w.mu.Unlock()
	leader := w.leads()
	switch {
	case w.chance(0.03):
		w.mu.Lock()
		n.die()
		w.mu.Unlock()
	case attached != nil && w.chance(0.05):
		w.mu.Lock()
		w.note("%s is cut off", n.name())
		n.detach()
		w.mu.Unlock()
	case attached != nil && w.chance(0.03):
		w.mu.Lock()
		if n.stream != nil {
			n.leave(w.random.IntN(2) == 0)
		}
		w.mu.Unlock()
	case attached == nil && leader != nil:
		n.attach(leader)
	case next != nil && leader != nil:
		n.deliver(leader, next, w.chance(0.02))
	}
}

// moveClient has the client do something.
func (w *world) moveClient() {
	leader := w.leads()
	if leader == nil {
		return
	}
	i := w.random.IntN(len(simFiles))
	if kind := w.random.IntN(12); kind < 5 && w.faults {
		w.client.change(leader, i, kind)
	} else if kind < 8 {
		w.client.get(leader, i)
	} else {
		w.client.submit(leader, i)
	}
}

// moveProcess has a coordinator crash, stop or continue, or starts one.
func (w *world) moveProcess() {
	w.mu.Lock()
	living := w.living()
	w.mu.Unlock()
	if len(living) < 2 {
		w.start()
		return
	}
	p := living[w.random.IntN(len(living))]
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case p.paused:
		p.resume()
	case w.random.IntN(2) == 0:
		p.pause()
	case w.random.IntN(2) == 0:
		p.crash()
	default:
		p.crashAt = simSteps[w.random.IntN(len(simSteps))]
		w.note("p%d will crash at %s", p.number, p.crashAt)
	}
}

// simSteps are steps of the crash table at which a process may die.
var simSteps = []string{
	"after-submit", "before-spool", "after-spool", "before-commit", "after-commit", "before-merge", "before-publish",
	"between-files", "after-publish", "after-part", "after-free", "before-manifest", "after-manifest", "after-done",
	"before-save", "after-save", "before-replace", "between-replace", "before-lost", "after-lost",
	"between-deletions", "before-drop", "after-drop",
}

// finish lets the cluster run without faults until every sweep is done.
func (w *world) finish() {
	w.mu.Lock()
	w.faults = false
	w.note("no more faults")
	clear(w.client.last)
	for _, p := range w.living() {
		p.crashAt = ""
		if p.paused {
			p.resume()
		}
	}
	w.mu.Unlock()
	w.settle()
	if w.mu.Lock(); len(w.living()) == 0 {
		w.mu.Unlock()
		w.start()
	} else {
		w.mu.Unlock()
	}
	begun := time.Now()
	for round := 0; !w.finished(); round++ {
		if time.Since(begun) > 10*time.Minute {
			w.mu.Lock()
			w.violated("not done ten minutes after the last fault:%s", w.client.describe())
			w.mu.Unlock()
			return
		}
		w.advance(round)
	}
}

// advance does everything that can be done now, then lets time pass.
func (w *world) advance(round int) {
	for {
		w.settle()
		w.mu.Lock()
		runnable := w.runnable()
		w.mu.Unlock()
		if len(runnable) == 0 {
			break
		}
		w.perform(runnable[0])
	}
	for _, n := range w.nodes {
		for range 3 {
			w.moveNode(n)
			w.settle()
		}
	}
	if leader := w.leads(); leader != nil {
		for i := range simFiles {
			w.client.proceed(leader, i)
			w.settle()
		}
	}
	w.sleep(time.Duration(20+round%7*100)*time.Millisecond + 137*time.Microsecond)
}

// proceed does what gets a sweep done.
func (c *simClient) proceed(p *process, i int) {
	switch m := c.last[i]; {
	case m == nil, m.GetPhase() == pb.Phase_PHASE_CANCELLED:
		c.submit(p, i)
	case m.GetPhase() == pb.Phase_PHASE_PAUSED:
		c.change(p, i, 1)
	case m.GetPhase() == pb.Phase_PHASE_DONE && m.GetProgress().GetShardsQuarantined() > 0:
		c.retry(p, i)
	default:
		c.get(p, i)
	}
}

// finished reports whether every sweep is done, without quarantined shards.
func (w *world) finished() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.broken) > 0 {
		return true
	}
	for _, m := range w.client.last {
		if m.GetPhase() != pb.Phase_PHASE_DONE || m.GetProgress().GetShardsQuarantined() > 0 {
			return false
		}
	}
	return true
}

// end stops everything.
func (w *world) end() {
	w.mu.Lock()
	for _, n := range w.nodes {
		n.detach()
	}
	for _, p := range w.living() {
		p.crash()
	}
	w.mu.Unlock()
	w.settle()
	for _, p := range w.processes {
		<-p.ended
	}
}
