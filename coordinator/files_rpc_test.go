package coordinator_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
)

// TestFilesTellsWhatIsMissing: a result set with missing files is not presented as complete.
func TestFilesTellsWhatIsMissing(t *testing.T) {
	store, dir := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx := deadline(t)
	c.leading(ctx)
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	set := filepath.Join(dir, c.wait(ctx, id).GetResultSet())
	complete, err := c.sweeps.Files(ctx, &pb.FilesRequest{Sweep: id})
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []struct {
		file string
		do   func(path string) error
	}{
		{"points/part-000000.parquet", os.Remove},
		{"shards/part-000000.parquet", os.Remove},
		{"points/part-000000.parquet", func(path string) error { return os.Truncate(path, 100) }},
		{results.ManifestName, os.Remove},
	} {
		path := filepath.Join(set, filepath.FromSlash(damage.file))
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := damage.do(path); err != nil {
			t.Fatal(err)
		}
		_, err = c.sweeps.Files(ctx, &pb.FilesRequest{Sweep: id})
		if status.Code(err) != codes.DataLoss || !strings.Contains(err.Error(), damage.file) ||
			!strings.Contains(err.Error(), "submit the sweep again") {
			t.Errorf("without a whole %s: %v", damage.file, err)
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
		again, err := c.sweeps.Files(ctx, &pb.FilesRequest{Sweep: id})
		if err != nil || len(again.GetFiles()) != len(complete.GetFiles()) {
			t.Errorf("with %s back: %v, %v", damage.file, again, err)
		}
	}
}

// TestFilesOfPartsTakenBack: a leader died while it reopened parts of a done sweep. The set is not
// presented without them.
func TestFilesOfPartsTakenBack(t *testing.T) {
	ctx := deadline(t)
	cfg, id, _ := partsTakenBack(ctx, t)
	c := start(t, cfg)
	c.leading(ctx)
	_, err := c.sweeps.Files(ctx, &pb.FilesRequest{Sweep: id})
	if status.Code(err) != codes.DataLoss || !strings.Contains(err.Error(), "1 of its 1 parts") {
		t.Errorf("Files = %v", err)
	}
	c.submit(ctx, smallSweep)
	defer c.serve(ctx, &coordtest.Node{Name: "n"})()
	c.wait(ctx, id)
	if _, err := c.sweeps.Files(ctx, &pb.FilesRequest{Sweep: id}); err != nil {
		t.Errorf("when it is done again: %v", err)
	}
}

// countingStore counts how often the file of a part is opened.
type countingStore struct {
	store.Store
	opened atomic.Int64
}

func (s *countingStore) Open(ctx context.Context, name string) (store.Object, error) {
	if strings.Contains(name, "/part-") {
		s.opened.Add(1)
	}
	return s.Store.Open(ctx, name)
}

// TestSubmitAgainOpensNoParts: opening a file in object storage takes a request, and there may be
// thousands of files in a call of one minute. A listing suffices to see that all exist.
func TestSubmitAgainOpensNoParts(t *testing.T) {
	folder, _ := fileStore(t)
	for name, store := range map[string]store.Store{"file": folder, "s3": s3Store(t)} {
		counting := &countingStore{Store: store}
		spool, _ := fileStore(t)
		c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: counting, Spool: spool})
		ctx := deadline(t)
		c.leading(ctx)
		stopNode := c.serve(ctx, &coordtest.Node{Name: "n"})
		set := c.wait(ctx, c.submit(ctx, smallSweep).GetSweep().GetId()).GetResultSet()
		stopNode()
		counting.opened.Store(0)
		if m := c.submit(ctx, smallSweep); m.GetSweep().GetPhase() != pb.Phase_PHASE_DONE {
			t.Errorf("%s: a complete sweep is %v after submit", name, m.GetSweep().GetPhase())
		}
		if n := counting.opened.Load(); n != 0 {
			t.Errorf("%s: the files of one part are opened %d times", name, n)
		}
		lost := set + "/" + results.PartName(results.Points, 0)
		if err := store.Delete(ctx, lost); err != nil {
			t.Fatal(err)
		}
		if m := c.submit(ctx, smallSweep); m.GetSweep().GetPhase() != pb.Phase_PHASE_RUNNING {
			t.Errorf("%s: without %s the sweep is %v after submit", name, lost, m.GetSweep().GetPhase())
		}
	}
}
