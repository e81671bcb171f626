package chaos

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// TestAudit: the audit finds what it looks for.
func TestAudit(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, lines ...string) *process {
		p := newProcess(folder, name)
		if err := os.WriteFile(p.log, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	c := &cluster{
		nodes: []*process{
			write("node-0",
				`{"time":"2026-01-01T00:00:02Z","msg":"shard started","sweep_id":"s","shard_id":4}`,
				`{"time":"2026-01-01T00:00:03Z","msg":"shard committed","sweep_id":"s","shard_id":4}`),
			write("node-1",
				`{"time":"2026-01-01T00:00:04Z","msg":"shard started","sweep_id":"s","shard_id":4}`,
				"panic: a slot is gone"),
		},
		coordinators: []*process{write(
			"coordinator-0",
			`{"time":"2026-01-01T00:00:00Z","msg":"became leader","epoch":2}`,
			`{"time":"2026-01-01T00:00:01Z","msg":"shards granted","node":"node-0",`+
				`"sweep_id":"s","first":3,"shards":2,"epoch":2}`,
			`{"time":"2026-01-01T00:00:04Z","msg":"shards granted","node":"node-1",`+
				`"sweep_id":"s","first":2,"shards":3,"epoch":2}`,
			`{"time":"2026-01-01T00:00:05Z","msg":"delivery rejected","sweep_id":"s","shard_id":4,"reason":"checksum"}`,
		)},
	}
	a, err := auditLogs(c)
	if err != nil {
		t.Fatal(err)
	}
	if a.Started != 2 || a.Acked != 1 || a.Granted != 5 || a.Rejected != 1 || a.Terms != 1 || a.LateRepetitions != 1 {
		t.Errorf("audit: %+v", a)
	}
	if len(a.Recomputed) != 1 || !strings.Contains(a.Recomputed[0], "shard 4 of s to node-1 1s after") {
		t.Errorf("granted after ack: %q", a.Recomputed)
	}
	if len(a.Panics) != 1 || !strings.HasPrefix(a.Panics[0], "node-1: panic") {
		t.Errorf("panics: %q", a.Panics)
	}
}

// TestReaderFindsViolations: the reader finds rows that vanish, more rows than the sweep has, and
// files that are not complete.
func TestReaderFindsViolations(t *testing.T) {
	r := newReader(nil, t.TempDir())
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
	if err := r.checkNewFiles(v); err == nil || !strings.Contains(err.Error(), "not a complete Parquet file") {
		t.Errorf("half a file: %v", err)
	}
}
