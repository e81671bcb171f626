package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRolesAtARealCoordinator starts the commands with mutual TLS and checks what each certificate
// may do: a client submits, a node works, and neither does the other.
func TestRolesAtARealCoordinator(t *testing.T) {
	address, store, certs := freeAddress(t), t.TempDir(), t.TempDir()
	makeCerts(t, certs)
	as := func(role string, args ...string) []string {
		o := optionsFor(certs, role)
		return append(args, "--tls-cert", o.Cert, "--tls-key", o.Key, "--tls-ca", o.CA)
	}
	background(
		t,
		as(
			"coordinator",
			"coordinator",
			"--listen",
			address,
			"--embedded-etcd",
			t.TempDir(),
			"--store",
			"file://"+store,
			"--status-listen",
			"",
		)...)
	awaitLeader(t, address, as("client")...)
	wrong := phasegrid(t, as("node", "coordinator", "--listen", freeAddress(t), "--embedded-etcd", t.TempDir(),
		"--store", "file://"+t.TempDir(), "--status-listen", "")...)
	if wrong.code != exitUsage || !strings.Contains(wrong.stderr, "want role spiffe://phasegrid/role/coordinator") {
		t.Errorf("a coordinator with a node's certificate: exit code %d\n%s", wrong.code, wrong.stderr)
	}

	file := writeSweep(t, manyShards)
	for _, role := range []string{"node", "coordinator", "etcd"} {
		got := phasegrid(t, as(role, "submit", file, "--coordinator", address)...)
		if got.code == exitDone || !strings.Contains(got.stderr, "want role client") {
			t.Errorf("a %s certificate submits: exit code %d\n%s%s", role, got.code, got.stdout, got.stderr)
		}
	}
	if got := phasegrid(t, "ls", "--coordinator", address); got.code == exitDone {
		t.Errorf("without a certificate sweeps are listed: %s", got.stdout)
	}
	// With a client's certificate a node gets no leases and ends; the other node does all the work.
	intruder := phasegrid(t, as("client", "node", "--coordinator", address, "--name", "intruder", "--slots", "1")...)
	if intruder.code != exitFailed || !strings.Contains(intruder.stderr, "want role node") {
		t.Errorf("a node with a client's certificate: exit code %d\n%s", intruder.code, intruder.stderr)
	}
	background(t, as("node", "node", "--coordinator", address, "--name", "worker", "--slots", "1")...)
	if got := phasegrid(t, as("client", "submit", file, "--watch", "--coordinator", address)...); got.code != exitDone {
		t.Fatalf("a client submits: exit code %d\n%s", got.code, got.stderr)
	}
	parts, err := filepath.Glob(filepath.Join(store, "*", "shards", "part-*.parquet"))
	if err != nil || len(parts) == 0 {
		t.Fatalf("no table of shards: %v, %v", parts, err)
	}
	for _, part := range parts {
		table, err := os.ReadFile(part)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(table, []byte("worker")) || bytes.Contains(table, []byte("intruder")) {
			t.Errorf("%s does not name the worker alone", part)
		}
	}
}
