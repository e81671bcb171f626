package coordinator_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// version3 is a finished set of solver version 3.
const version3 = "../results/testdata/version-3"

// TestFinishedSweepOfAnEarlierRelease: a finished sweep of solver version 3 and plan version 1,
// whose record has a number for its solver, is listed, fetched and removed, also where its record
// has no cuts.
func TestFinishedSweepOfAnEarlierRelease(t *testing.T) {
	for name, cuts := range map[string]*pb.CutsState{
		"cuts": {Shards: []int64{1}, Points: []int64{8}, Cost: []int64{1}, MemoryBytes: []int64{1},
			Parts: []int64{0}},
		"no cuts": nil,
	} {
		t.Run(name, func(t *testing.T) {
			store, dir := fileStore(t)
			id, set := storeVersion3(t, dir)
			memory := ledger.NewMemory()
			commitVersion3(t, memory, id, cuts)
			c := start(t, coordinator.Config{Ledger: memory, Store: store})
			ctx := deadline(t)
			c.leading(ctx)

			list, err := c.sweeps.List(ctx, &pb.ListRequest{})
			if err != nil || len(list.GetSweeps()) != 1 {
				t.Fatalf("%d sweeps, %v", len(list.GetSweeps()), err)
			}
			m := list.GetSweeps()[0]
			if s := m.GetSpec().GetSolver(); m.GetId() != id || m.GetPhase() != pb.Phase_PHASE_DONE ||
				m.GetResultSet() != set || s.GetName() != "phasegrid" || s.GetVersion() != "3" {
				t.Errorf("listed as %v", m)
			}
			if n := m.GetProgress().GetPointsDone(); n != 8 {
				t.Errorf("%d points are done", n)
			}
			checkFiles(ctx, t, c, id)
			if cuts != nil {
				client := c.flightClient()
				for table, rows := range map[string]int{"points": 8, "trajectories": 20, "coefficients": 60} {
					got, names, err := fly(ctx, client, fmt.Sprintf(`{"sweep": %q, "table": %q}`, id, table))
					if err != nil || len(got) != rows || slices.Contains(names, "held_90_step") {
						t.Errorf("%s: %d rows of %v, %v", table, len(got), names, err)
					}
				}
			}
			if _, err := c.sweeps.Delete(ctx, &pb.DeleteRequest{Sweep: id}); err != nil {
				t.Fatal(err)
			}
			if _, err := c.sweeps.Get(ctx, &pb.GetRequest{Sweep: id}); status.Code(err) != codes.NotFound {
				t.Errorf("the removed sweep is %v", err)
			}
			if _, err := os.Stat(filepath.Join(dir, set)); !os.IsNotExist(err) {
				t.Errorf("its set is still there: %v", err)
			}
		})
	}
}

// storeVersion3 copies the set of version 3 into a store; it returns its id and its folder there.
func storeVersion3(t *testing.T, dir string) (id, set string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(version3, results.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	m, err := results.ParseManifest(data)
	if err != nil || m.Solver != sweep.BuiltinSolver(3) {
		t.Fatalf("solver %s, %v", m.Solver, err)
	}
	set = m.Name + "-" + m.Sweep[:8]
	if err := os.CopyFS(filepath.Join(dir, set), os.DirFS(version3)); err != nil {
		t.Fatal(err)
	}
	return m.Sweep, set
}

// commitVersion3 writes the keys of the sweep as its release did.
func commitVersion3(t *testing.T, memory *ledger.Memory, id string, cuts *pb.CutsState) {
	t.Helper()
	leadership, err := memory.Campaign(t.Context(), "earlier", func() {})
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(version3, results.SweepName))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := sweep.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := spec.ID(sweep.BuiltinSolver(3)); got != id {
		t.Fatalf("id %s, want %s", got, id)
	}
	set, err := results.OpenSet(version3)
	if err != nil {
		t.Fatal(err)
	}
	part := ledger.PartState{Rows: board.Counts{OK: 6, Diverged: 2}}
	for _, f := range set.Manifest().Files {
		if sum, err := hex.DecodeString(f.SHA256); err != nil {
			t.Fatal(err)
		} else if !strings.Contains(f.Path, "schema") {
			part.Files = append(part.Files, ledger.PartFile{
				Path: f.Path, Bytes: f.Bytes, Rows: f.Rows, SHA256: [32]byte(sum),
			})
		}
	}
	value := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	err = leadership.Ledger.Commit(t.Context(), []ledger.Write{
		{Key: ledger.SweepKey(id), Value: value(ledger.Encode(&pb.SweepState{
			Spec: &pb.Spec{
				Canonical: spec.Canonical(), Name: set.Manifest().Name, SolverVersion: 3, PlanVersion: 1,
			},
			Created: timestamppb.New(time.Unix(1e9, 0)), Weight: 1, Cuts: cuts,
		}))},
		{Key: ledger.PhaseKey(id), Value: []byte("done")},
		{Key: ledger.ClassKey(id), Value: []byte(set.Manifest().ArithmeticClass)},
		{Key: ledger.PartKey(id, 0), Value: value(ledger.EncodePart(part))},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := leadership.Resign(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// checkFiles fetches the files of the sweep and compares them with those of the set.
func checkFiles(ctx context.Context, t *testing.T, c *cluster, id string) {
	t.Helper()
	files, err := c.sweeps.Files(ctx, &pb.FilesRequest{Sweep: id})
	if err != nil || len(files.GetFiles()) != 11 {
		t.Fatalf("%d files, %v", len(files.GetFiles()), err)
	}
	for _, f := range files.GetFiles() {
		want, err := os.ReadFile(filepath.Join(version3, f.GetPath()))
		if err != nil {
			t.Fatal(err)
		}
		stream, err := c.sweeps.Fetch(ctx, &pb.FetchRequest{Sweep: id, Path: f.GetPath()})
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for {
			m, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("fetch %s: %v", f.GetPath(), err)
			}
			got = append(got, m.GetData()...)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got %d bytes, want the %d of the set", f.GetPath(), len(got), len(want))
		}
	}
}

// TestNodesOfOtherSolversAreIdle: nodes with another name, version or hash, and those of earlier
// releases, get no lease, and status says why.
func TestNodesOfOtherSolversAreIdle(t *testing.T) {
	store, _ := fileStore(t)
	c := start(t, coordinator.Config{Ledger: ledger.NewMemory(), Store: store})
	ctx := deadline(t)
	c.leading(ctx)
	id := c.submit(ctx, smallSweep).GetSweep().GetId()
	own := (&coordtest.Node{}).Info().GetSolver()
	needs, hash := own.GetName()+" "+own.GetVersion(), strings.Repeat("0a", 32)
	for i, info := range []*pb.NodeInfo{
		{Solver: &pb.SolverIdentity{Name: own.GetName(), Version: own.GetVersion(), Hash: hash}},
		{Solver: &pb.SolverIdentity{Name: "model", Version: "4"}},
		{SolverVersion: 3},
		{Solver: &pb.SolverIdentity{Name: own.GetName(), Version: own.GetVersion() + "b"}},
	} {
		info.Name, info.Slots, info.ArithmeticClass = fmt.Sprintf("n%d", i), 1, "test"
		stream, err := c.nodes.Attach(ctx)
		if err == nil {
			err = stream.Send(&pb.AttachRequest{
				Message: &pb.AttachRequest_Hello{Hello: &pb.Hello{Info: info, Capacity: 1}},
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var offers []string
	for _, solver := range []string{"model 4", "phasegrid 3", needs + " " + hash, needs + "b"} {
		offers = append(offers, "1 node offers "+solver)
	}
	want := "needs solver " + needs + "; " + strings.Join(offers, ", ")
	c.expect(ctx, id, "the reason", func(m *pb.Sweep) bool { return m.GetProgress().GetWaiting() == want })
}
