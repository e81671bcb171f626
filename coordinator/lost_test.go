package coordinator_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// firstShards of 67 shards are delivered before the spool is damaged.
const firstShards = 30

var errEnough = errors.New("delivered enough")

// spoolDamage is what can happen to an object of the spool.
var spoolDamage = map[string]func(path string) error{
	"gone":  os.Remove,
	"empty": func(path string) error { return os.Truncate(path, 0) },
	"cut": func(path string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, info.Size()/2)
	},
	"flipped": func(path string) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		data[len(data)/2] ^= 1
		return os.WriteFile(path, data, 0o644)
	},
	"zeroed": func(path string) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, bytes.Repeat([]byte{0}, len(data)), 0o644)
	},
	"another": func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("PGS1"), 1<<16), 0o644) },
}

// TestLostFramesAreComputedAgain: committed shards whose bytes in the spool are gone or damaged are
// computed again, in the same term or the next one, and no other shard is.
func TestLostFramesAreComputedAgain(t *testing.T) {
	t.Parallel()
	undisturbed, dir := fileStore(t)
	frames, _ := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: undisturbed, Spool: frames})
	ctx := deadline(t)
	c.leading(ctx)
	stop := c.serve(ctx, &coordtest.Node{Name: "n"})
	c.wait(ctx, c.submit(ctx, smallSweep).GetSweep().GetId())
	stop()
	want := hashes(t, dir)
	for name, damage := range spoolDamage {
		for _, restart := range []bool{false, true} {
			if restart {
				name += " before a restart"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				loseFrames(t, damage, restart, want)
			})
		}
	}
}

func loseFrames(t *testing.T, damage func(string) error, restart bool, want map[string]string) {
	t.Helper()
	sets, dir := fileStore(t)
	frames, folder := fileStore(t)
	cfg := coordinator.Config{
		Ledger: ledger.NewMemory(), Store: sets, Spool: frames, ReconnectGrace: 50 * time.Millisecond,
	}
	ctx := deadline(t)
	c := start(t, cfg)
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()

	// A first node delivers a part of the shards.
	var acked atomic.Int64
	enough := make(chan struct{})
	stop := c.serve(ctx, &coordtest.Node{Name: "first", Delivered: func(d coordtest.Delivered) error {
		switch n := acked.Add(1); {
		case n == firstShards:
			close(enough)
			return errEnough
		case n > firstShards:
			return errEnough
		}
		return nil
	}})
	<-enough
	stop()
	for _, object := range spooled(t, folder) {
		if err := damage(object); err != nil {
			t.Fatal(err)
		}
	}
	if restart {
		c.stop()
		c = start(t, cfg)
		c.leading(ctx)
	}
	var computed atomic.Int64
	defer c.serve(ctx, &coordtest.Node{Name: "second", Computed: func(int64) { computed.Add(1) }})()
	last := c.wait(ctx, id)
	p := last.GetProgress()
	if p.GetShardsLost() == 0 || p.GetPointsDone() != p.GetIndices() || len(p.GetAlarms()) != 0 {
		t.Errorf("ended with %d shards lost, %d of %d points and the alarms %v",
			p.GetShardsLost(), p.GetPointsDone(), p.GetIndices(), p.GetAlarms())
	}
	if most := p.GetShards() - firstShards + p.GetShardsLost(); computed.Load() > most {
		t.Errorf("%d shards were computed after %d of %d were lost", computed.Load(), p.GetShardsLost(), p.GetShards())
	}
	if got := hashes(t, dir); !maps.Equal(got, want) {
		t.Errorf("there are the files %v, in an undisturbed run %v", got, want)
	}
	checkSmallSet(t, filepath.Join(dir, last.GetResultSet()))
}

// TestSpoolThatIsNotMounted: a spool whose folder is away has not lost its frames.
func TestSpoolThatIsNotMounted(t *testing.T) {
	t.Parallel()
	sets, dir := fileStore(t)
	frames, folder := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: sets, Spool: frames, Mergers: 1})
	ctx := deadline(t)
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	away := filepath.Join(t.TempDir(), "away")
	var acked atomic.Int64
	defer c.serve(ctx, &coordtest.Node{Name: "n", Delivered: func(coordtest.Delivered) error {
		if acked.Add(1) == firstShards {
			return os.Rename(folder, away)
		}
		return nil
	}})()
	c.expect(ctx, id, "an alarm", func(s *pb.Sweep) bool {
		return strings.Contains(strings.Join(s.GetProgress().GetAlarms(), "\n"), "check store of the spool")
	})
	if err := os.Rename(away, folder); err != nil {
		t.Fatal(err)
	}
	last := c.wait(ctx, id)
	if n := last.GetProgress().GetShardsLost(); n != 0 {
		t.Errorf("%d shards of a spool that was away count as lost", n)
	}
	checkSmallSet(t, filepath.Join(dir, last.GetResultSet()))
}

// spooled returns the paths of a spool's objects.
func spooled(t *testing.T, folder string) []string {
	t.Helper()
	objects, err := filepath.Glob(filepath.Join(folder, "spool", "*", "*-*"))
	if err != nil || len(objects) == 0 {
		t.Fatalf("the spool has the objects %v, %v", objects, err)
	}
	return objects
}
