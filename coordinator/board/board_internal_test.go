package board

import (
	"fmt"
	"testing"
	"time"
)

// TestBoardForgetsNodesThatLeft: nodes with ever new names do not fill the memory, and do not
// displace the strikes of others.
func TestBoardForgetsNodesThatLeft(t *testing.T) {
	b := New(10*time.Second, 3*time.Second, 0)
	now := time.Unix(1e9, 0)
	b.Step(Tick{now})
	visit := func(conn int, name string, between ...Event) {
		b.Step(NodeAttached{Conn: uint64(conn), Info: NodeInfo{Name: name, Slots: 1, Class: "test"}, Capacity: 2})
		for _, e := range between {
			b.Step(e)
		}
		b.Step(NodeLeft{Conn: uint64(conn), Node: name})
	}
	for i := range maxGone {
		visit(i, fmt.Sprint("early-", i))
	}
	wrong := DeliveryRejected{Node: "bad"}
	visit(maxGone, "bad", wrong, wrong, wrong, wrong, wrong)
	for i := range maxGone - 1 {
		visit(2*maxGone+i, fmt.Sprint("late-", i))
	}
	if len(b.nodes) != maxGone || len(b.idle) > 2*maxGone+16 {
		t.Errorf("%d nodes, %d of them idle, are remembered", len(b.nodes), len(b.idle))
	}
	if n := b.nodes["bad"]; n == nil || n.fenceReason == "" {
		t.Errorf("the fenced node is %+v", n)
	}
	for _, err := range b.Check() {
		t.Error(err)
	}
	b.Step(Tick{now.Add(goneAfter + time.Second)})
	if len(b.nodes) != 0 {
		t.Errorf("%d nodes are remembered after %v", len(b.nodes), goneAfter)
	}
}

// TestBoardForgetsDuringACheck: a node is lost in the same check in which the fence of a node that
// left long ago expires.
func TestBoardForgetsDuringACheck(t *testing.T) {
	b := New(10*time.Second, 3*time.Second, 0)
	now := time.Unix(1e9, 0)
	b.Step(Tick{now})
	b.Step(NodeAttached{Conn: 1, Info: NodeInfo{Name: "silent", Slots: 1, Class: "test"}, Capacity: 2})
	b.Step(NodeAttached{Conn: 2, Info: NodeInfo{Name: "wrong", Slots: 1, Class: "test"}, Capacity: 2})
	for range fenceStrikes {
		b.Step(DeliveryRejected{Node: "wrong"})
	}
	b.Step(NodeLeft{Conn: 2, Node: "wrong"})
	b.Step(Tick{now.Add(2 * goneAfter)})
	if n := b.nodes["silent"]; n == nil || n.link != linkGone || len(b.nodes) != 1 {
		t.Errorf("%d nodes are remembered; the silent one is %+v", len(b.nodes), n)
	}
}

// TestTickCostsNothing: the loop sends a tick whenever it wakes, however many nodes there are.
func TestTickCostsNothing(t *testing.T) {
	b := New(10*time.Second, 3*time.Second, 0)
	now := time.Unix(1e9, 0)
	b.Step(Tick{now})
	for i := range 1000 {
		b.Step(
			NodeAttached{
				Conn:     uint64(i),
				Info:     NodeInfo{Name: fmt.Sprint("n", i), Slots: 1, Class: "test"},
				Capacity: 2,
			},
		)
	}
	var tick Event = Tick{now.Add(time.Second)} // boxed once
	if n := testing.AllocsPerRun(100, func() { b.Step(tick) }); n != 0 {
		t.Errorf("a tick allocates %v times", n)
	}
}

// TestProgressCostsNothing: every watcher of a sweep asks several times a second, however many
// shards are leased.
func TestProgressCostsNothing(t *testing.T) {
	b := New(10*time.Second, 3*time.Second, 0)
	b.Step(Tick{time.Unix(1e9, 0)})
	b.Step(SweepAdded{ID: "id", Cuts: countingCuts{100_000, 1, new(int)}, Phase: Running})
	for i := range uint64(1000) {
		b.Step(NodeAttached{Conn: i, Info: NodeInfo{Name: fmt.Sprint("n", i), Slots: 1, Class: "test"}, Capacity: 2})
	}
	var p Progress
	if n := testing.AllocsPerRun(100, func() { p, _ = b.Progress("id") }); n > 1 {
		t.Errorf("asking how far a sweep is allocates %v times", n)
	}
	if p.Nodes != 1000 {
		t.Errorf("%d of 1000 nodes have shards", p.Nodes)
	}
}

// countingCuts are the cuts of a sweep of one part that count calls of Memory.
type countingCuts struct {
	shards int
	memory int64
	asked  *int
}

func (c countingCuts) Shards() int         { return c.shards }
func (c countingCuts) Parts() int          { return 1 }
func (c countingCuts) Part(int) (int, int) { return 0, c.shards }
func (c countingCuts) PartOf(int) int      { return 0 }
func (c countingCuts) Cost(int) float64    { return 1 }
func (c countingCuts) Memory(int) int64 {
	*c.asked++
	return c.memory
}

// TestShardsThatFitNowhere: very many shards that fit no node do not slow down other leases. A
// larger node gets them, and gets what it returns again.
func TestShardsThatFitNowhere(t *testing.T) {
	const shards = 50_000
	var asked int
	b := New(10*time.Second, 3*time.Second, 0)
	b.Step(Tick{time.Unix(1e9, 0)})
	b.Step(SweepAdded{ID: "large", Cuts: countingCuts{shards, 2 << 30, &asked}, Phase: Running})
	b.Step(SweepAdded{ID: "small", Cuts: countingCuts{shards, 1, new(int)}, Phase: Running})
	asked = 0
	attach := func(name string, conn uint64, memory int64) {
		b.Step(
			NodeAttached{
				Conn:     conn,
				Info:     NodeInfo{Name: name, Slots: 1, Class: "test", MemoryBytes: memory},
				Capacity: 8,
			},
		)
	}
	for i := range uint64(10) {
		attach(fmt.Sprint("small-", i), i+1, 1<<30)
	}
	for s := range 50 {
		b.Step(ShardDelivered{Token: uint64(s), Sweep: "small", Shard: s, Node: "small-0", Class: "test"})
		b.Step(ShardCommitted{Sweep: "small", Shard: s})
		b.Progress("large")
	}
	if asked > 2*shards {
		t.Errorf("asked %d times for the memory of %d shards", asked, shards)
	}
	for conn := range uint64(2) {
		attach("large", 100+conn, 4<<30)
		if n := len(b.jobs["large"].leases); n == 0 {
			t.Error("the large node has none of the large shards")
		}
		b.Step(NodeLeft{Conn: 100 + conn, Node: "large"})
	}
	for _, err := range b.Check() {
		t.Error(err)
	}
}

// TestManyShardsInQuarantine: a new leader does not stall on a large part that lacks very many
// shards.
func TestManyShardsInQuarantine(t *testing.T) {
	const shards = 262_144
	b := New(10*time.Second, 3*time.Second, 0)
	b.Step(Tick{time.Unix(1e9, 0)})
	e := SweepAdded{
		ID:       "id",
		Cuts:     countingCuts{shards, 1, new(int)},
		Phase:    Done,
		Parts:    map[int][]int{},
		Failures: map[int]ShardFailures{},
	}
	for s := 0; s < shards; s += 2 {
		e.Parts[0] = append(e.Parts[0], s)
		e.Failures[s] = ShardFailures{Shard: s, Attempts: quarantineAttempts, Quarantined: true}
	}
	start := time.Now()
	b.Step(e)
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("a sweep with %d shards in quarantine takes %v", len(e.Failures), took)
	}
	if p, _ := b.Progress("id"); p.ShardsDone != shards/2 || p.Quarantined != shards/2 || p.PartsDone != 1 {
		t.Errorf("the sweep is %+v", p)
	}
}

// TestCancelReachesNodesThatCameBack: a node attaches with a shard of a paused sweep. A cancel
// revokes it.
func TestCancelReachesNodesThatCameBack(t *testing.T) {
	b := New(10*time.Second, 3*time.Second, 0)
	b.Step(Tick{time.Unix(1e9, 0)})
	b.Step(SweepAdded{ID: "id", Cuts: countingCuts{1, 1, new(int)}, Phase: Paused})
	node := NodeAttached{
		Conn:     1,
		Info:     NodeInfo{Name: "n", Slots: 1, Class: "test"},
		Capacity: 1,
		Held:     []ShardRange{{Sweep: "id", Count: 1, Epoch: 1}},
	}
	b.Step(node)
	var revoked []ShardRange
	for _, a := range b.Step(PhaseRequested{Sweep: "id", Phase: Cancelled}) {
		if r, ok := a.(Revoke); ok && r.Conn == node.Conn {
			revoked = append(revoked, r.Ranges...)
		}
	}
	if len(revoked) != 1 || revoked[0] != node.Held[0] {
		t.Errorf("the node is told to stop %v, has %v", revoked, node.Held)
	}
	for _, err := range b.Check() {
		t.Error(err)
	}
}

// TestClassOfNothing: the commit of the first delivery of a sweep is cancelled. Nothing of its
// arithmetic class is durable, so nodes of another class may continue.
func TestClassOfNothing(t *testing.T) {
	b := New(10*time.Second, 3*time.Second, 0)
	b.Step(Tick{time.Unix(1e9, 0)})
	b.Step(SweepAdded{ID: "id", Cuts: countingCuts{2, 1, new(int)}, Phase: Running})
	for _, e := range []Event{
		ShardDelivered{Token: 1, Sweep: "id", Node: "n", Class: "one"},
		ShardDelivered{Token: 2, Sweep: "id", Shard: 1, Node: "n", Class: "one"},
		PhaseRequested{Sweep: "id", Phase: Cancelled},
		CommitCancelled{Sweep: "id"}, CommitCancelled{Sweep: "id", Shard: 1},
		PhaseRequested{Sweep: "id", Phase: Running},
		NodeAttached{Conn: 1, Info: NodeInfo{Name: "m", Slots: 1, Class: "another"}, Capacity: 2},
	} {
		b.Step(e)
	}
	if n := len(b.jobs["id"].leases); n == 0 {
		t.Errorf("the other node has nothing; the sweep is %q", b.waiting(b.jobs["id"]))
	}
	for _, err := range b.Check() {
		t.Error(err)
	}
}

// TestNodeThatIsBackKilledNothing: a node is lost after its connection broke, and the same process
// comes back. The shards that it still has are not suspect.
func TestNodeThatIsBackKilledNothing(t *testing.T) {
	for _, instance := range []string{"the same", "another"} {
		b := New(10*time.Second, 3*time.Second, 0)
		now := time.Unix(1e9, 0)
		b.Step(Tick{now})
		b.Step(SweepAdded{ID: "id", Cuts: countingCuts{1, 1, new(int)}, Phase: Running})
		node := NodeAttached{
			Conn:     1,
			Info:     NodeInfo{Name: "n", Slots: 1, Class: "test"},
			Instance: "the same",
			Capacity: 1,
		}
		b.Step(node)
		b.Step(StreamBroken{Conn: 1, Node: "n"})
		b.Step(Tick{now.Add(4 * time.Second)})
		j := b.jobs["id"]
		if len(j.failures[0].Failures) != 1 {
			t.Errorf("lost, and the lease failures are %+v", j.failures[0])
		}
		node.Conn, node.Instance = 2, instance
		b.Step(node)
		if n := len(j.failures[0].Failures); (n == 0) != (instance == "the same") {
			t.Errorf("%s process is back, and %d nodes have lost the shard", instance, n)
		}
		if len(j.leases) != 1 {
			t.Errorf("%s process has %d leases", instance, len(j.leases))
		}
		for _, err := range b.Check() {
			t.Error(err)
		}
	}
}
