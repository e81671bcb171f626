package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// TestChaos runs sweeps on a cluster of processes that are killed, stopped, cut off and filled up.
// PHASEGRID_CHAOS=3m is for how long; PHASEGRID_CHAOS_SEED draws other faults.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	t.Setenv(asProgram, "1")
	duration, seed := os.Getenv("PHASEGRID_CHAOS"), os.Getenv("PHASEGRID_CHAOS_SEED")
	if duration == "" {
		duration = "15s"
	}
	if seed == "" {
		seed = "3"
	}
	got := phasegrid(t, "bench", "chaos", "--duration", duration, "--seed", seed)
	t.Log(got.stdout)
	if got.code != exitDone {
		t.Errorf("exit code %d\n%s", got.code, got.stderr)
	}
}

// TestChaosAudit shows that the audit sees what it looks for.
func TestChaosAudit(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, lines ...string) *chaosProcess {
		p := newChaosProcess(folder, name)
		if err := os.WriteFile(p.log, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	c := &chaosCluster{
		nodes: []*chaosProcess{
			write("node-0",
				`{"time":"2026-01-01T00:00:02Z","msg":"shard started","sweep_id":"s","shard_id":4}`,
				`{"time":"2026-01-01T00:00:03Z","msg":"shard committed","sweep_id":"s","shard_id":4}`),
			write("node-1",
				`{"time":"2026-01-01T00:00:04Z","msg":"shard started","sweep_id":"s","shard_id":4}`,
				"panic: a slot is gone"),
		},
		coordinators: []*chaosProcess{write(
			"coordinator-0",
			`{"time":"2026-01-01T00:00:00Z","msg":"leads","epoch":2}`,
			`{"time":"2026-01-01T00:00:01Z","msg":"shards granted","node_id":"node-0","sweep_id":"s","first":3,"shards":2,"epoch":2}`,
			`{"time":"2026-01-01T00:00:04Z","msg":"shards granted","node_id":"node-1","sweep_id":"s","first":2,"shards":3,"epoch":2}`,
			`{"time":"2026-01-01T00:00:05Z","msg":"delivery refused","sweep_id":"s","shard_id":4,"reason":"checksum"}`,
		)},
	}
	a, err := auditLogs(c)
	if err != nil {
		t.Fatal(err)
	}
	if a.Started != 2 || a.Acked != 1 || a.Granted != 5 || a.Rejected != 1 || a.Terms != 1 || a.LateTwins != 1 {
		t.Errorf("audit: %+v", a)
	}
	if len(a.Recomputed) != 1 || !strings.Contains(a.Recomputed[0], "shard 4 of s to node-1 1s after") {
		t.Errorf("granted after ack: %q", a.Recomputed)
	}
	if len(a.Panics) != 1 || !strings.HasPrefix(a.Panics[0], "node-1: panic") {
		t.Errorf("panics: %q", a.Panics)
	}
}

// TestChaosReaderSees shows that the reader sees rows that vanish, rows beyond the truth and files
// that are not whole.
func TestChaosReaderSees(t *testing.T) {
	r := newChaosReader(nil, t.TempDir())
	v := client.Sweep{ID: "s", Name: "s", ResultSet: "s-1", Progress: client.Progress{Indices: 5}}
	for _, rows := range []int64{2, 4, 3, 6} {
		r.see(t.Context(), v, "flight", func(context.Context) (int64, error) { return rows, nil })
	}
	if len(r.violations) != 2 || !strings.Contains(r.violations[0], "3 rows, after there were 4") ||
		!strings.Contains(r.violations[1], "6 rows of 5") {
		t.Errorf("violations: %q", r.violations)
	}
	part := filepath.Join(r.store, v.ResultSet, "points", "part-000000.parquet")
	if err := os.MkdirAll(filepath.Dir(part), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(part, []byte("PAR1 and no more"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.whole(v); err == nil || !strings.Contains(err.Error(), "not a whole Parquet file") {
		t.Errorf("half a file: %v", err)
	}
}
