package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

func TestExitCodes(t *testing.T) {
	good := writeSweep(t, manyShards)
	bad := writeSweep(t, "name: x\nfixed: {modell: population}\ngrid: {anisotropy: [1, two]}\n")
	missing := filepath.Join(t.TempDir(), "none.yaml")
	notAFolder := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(notAFolder, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	folderURL := "file://" + t.TempDir()
	embedded := func(flags ...string) []string {
		return append([]string{"coordinator", "--embedded-etcd", t.TempDir(), "--store", folderURL}, flags...)
	}
	for _, c := range []struct {
		name   string
		args   []string
		code   int
		stderr []string // what the message must contain
	}{
		{"help", []string{"--help"}, exitDone, nil},
		{"no command", nil, exitDone, nil},
		{"unknown command", []string{"rnu"}, exitUsage, []string{"rnu", "--help"}},
		{"unknown flag", []string{"run", "--slot", "2", good}, exitUsage, []string{"--slot", "--help"}},
		{"no file", []string{"run"}, exitUsage, []string{"missing argument FILE", "--help"}},
		{"a misspelt command", []string{"plna"}, exitUsage, []string{`unknown command "plna"; did you mean "plan"?`}},
		{"a word for a number", []string{"run", good, "--slots", "two"},
			exitUsage, []string{`"two" for "--slots" flag: invalid`}},
		{"a role that is none", []string{"certs", "--out", t.TempDir(), "client", "king"}, exitUsage,
			[]string{`"king"`}},
		{"two files", []string{"plan", good, good}, exitUsage, []string{"unexpected argument"}},
		{"missing file", []string{"run", missing}, exitUsage, []string{missing}},
		{"bad sweep file", []string{"run", bad}, exitUsage, []string{bad + ":2:", "modell", bad + ":3:"}},
		{"bad sweep file in plan", []string{"plan", bad}, exitUsage, []string{bad + ":2:"}},
		{"wrong output", []string{"plan", good, "-o", "xml"}, exitUsage, []string{"table, json or yaml"}},
		{"wrong log format", []string{"run", good, "--log-format", "xml"}, exitUsage, []string{"text or json"}},
		{"wrong log level", []string{"plan", good, "--log-level", "loud"},
			exitUsage, []string{"debug, info, warn or error"}},
		{"negative slots", []string{"run", good, "--slots", "-1"}, exitUsage, []string{"--slots"}},
		{"out is a file", []string{"run", good, "--out", notAFolder, "--state", t.TempDir()},
			exitFailed, []string{notAFolder}},
		{"state is a file", []string{"run", good, "--out", t.TempDir(), "--state", notAFolder},
			exitFailed, []string{"--state"}},
		{"no coordinator", []string{"ls", "--coordinator", "127.0.0.1:1"}, exitFailed, []string{"--coordinator"}},
		{"a coordinator without a port", []string{"node", "--coordinator", "localhost"},
			exitUsage, []string{`--coordinator: got "localhost", want host:port`}},
		{"a URL to listen on", embedded("--listen", "http://127.0.0.1:0"),
			exitUsage, []string{`--listen: got "http://127.0.0.1:0", want host:port`}},
		{"plain text to the world", []string{"ls", "--coordinator", "192.0.2.1:7443"},
			exitUsage, []string{"--insecure"}},
		{"a coordinator's status to the world", embedded("--listen", "127.0.0.1:0", "--status-listen", "0.0.0.0:0"),
			exitUsage, []string{"--status-insecure"}},
		{"a node's status to the world", []string{"node", "--status-listen", ":0"},
			exitUsage, []string{"--status-insecure"}},
		{"any address to followers", []string{"coordinator", "--etcd", "http://127.0.0.1:1", "--store", folderURL,
			"--insecure", "--listen", ":0"}, exitUsage, []string{"--advertise"}},
		{"two ledgers", embedded("--etcd", "http://127.0.0.1:1"), exitUsage, []string{"exactly one of --etcd"}},
		{"a path as store", []string{"coordinator", "--embedded-etcd", t.TempDir(), "--store", t.TempDir()},
			exitUsage, []string{"--store", "file:///"}},
		{"a store of another kind", embedded("--spool", "ftp://host/folder"), exitUsage, []string{"--spool", "ftp"}},
		{"a store that cannot be", embedded("--store", "file://"+notAFolder+"/below"), exitFailed, []string{"--store"}},
		{"a port in use", embedded("--listen", taken.Addr().String()), exitFailed, []string{"another --listen"}},
		{"a port for probes in use", embedded("--listen", "127.0.0.1:0", "--status-listen", taken.Addr().String()),
			exitFailed, []string{"another --status-listen"}},
		{"negative lease", embedded("--lease-ttl", "-5s"), exitUsage, []string{"--lease-ttl"}},
		{"hardly a lease", embedded("--lease-ttl", "1ms"), exitUsage, []string{"--lease-ttl"}},
		{"negative point", embedded("--max-point-bytes", "-1"), exitUsage, []string{"--max-point-bytes"}},
		{"negative point in run", []string{"run", good, "--max-point-bytes", "-1"},
			exitUsage, []string{"--max-point-bytes"}},
		{"negative point in plan", []string{"plan", good, "--max-point-bytes", "-1"},
			exitUsage, []string{"--max-point-bytes"}},
		{"many slots", []string{"node", "--slots", "100000"}, exitUsage, []string{"got 100000"}},
		{"many slots in run", []string{"run", good, "--slots", "100000", "--state", t.TempDir(), "--out", t.TempDir()},
			exitUsage, []string{"got 100000"}},
		{"path as name", []string{"node", "--name", "a/b"}, exitUsage, []string{"a/b"}},
		{"negative memory", []string{"node", "--memory-bytes", "-5"}, exitUsage, []string{"memory"}},
		{"no result set", []string{"verify", t.TempDir()}, exitUsage, []string{"not a result set"}},
		{"certificates for two words", []string{"certs", "--out", t.TempDir(), "--name", "a b"},
			exitUsage, []string{`--name: got "a b"`}},
		{"plot what is not there", []string{"plot", missing}, exitUsage, []string{missing + ": no such directory"}},
		{"query what is not there", []string{"query", "--set", missing, "FROM points"},
			exitUsage, []string{missing + ": no such directory"}},
		{"verify what is not there", []string{"verify", missing}, exitUsage, []string{missing + ": no such directory"}},
		{"explain what is not there", []string{"explain", missing, "1"},
			exitUsage, []string{missing + ": no such directory"}},
		{"version", []string{"version", "-o", "json"}, exitDone, nil},
		{"version as a flag", []string{"--version"}, exitDone, nil},
		{"schema", []string{"schema"}, exitDone, nil},
		{"optimizers", []string{"optimizers", "-o", "json"}, exitDone, nil},
		{"completion", []string{"completion", "bash"}, exitDone, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := phasegrid(t, c.args...)
			if got.code != c.code {
				t.Errorf("exit code %d, want %d\n%s", got.code, c.code, got.stderr)
			}
			for _, want := range c.stderr {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("%q is not in the message:\n%s", want, got.stderr)
				}
			}
			if (c.code == exitDone) != (got.stdout != "") {
				t.Errorf("standard output: %q", got.stdout)
			}
		})
	}
}

// TestInterruptedWhereverItIs interrupts steps that do not handle signals: Ctrl-C is an
// interruption there too, and not a failure.
func TestInterruptedWhereverItIs(t *testing.T) {
	out, state := t.TempDir(), t.TempDir()
	file := writeSweep(t, manyShards)
	if got := phasegrid(t, "run", file, "--out", out, "--state", state); got.code != exitDone {
		t.Fatal(got.stderr)
	}
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	for name, args := range map[string][]string{
		"summary of a finished set": {"run", file, "--out", out, "--state", state},
		"look at earlier sets":      {"run", writeSweep(t, edited()), "--out", out, "--state", state},
		"verify":                    {"verify", openOnlySet(t, out).Dir()},
	} {
		t.Run(name, func(t *testing.T) {
			got := phasegridWith(interrupted, nil, nil, args...)
			if got.code != exitInterrupted || strings.Contains(got.stderr, "error") {
				t.Errorf("exit code %d, %s", got.code, got.stderr)
			}
		})
	}
}

func TestFlagsFromEnvironment(t *testing.T) {
	env := map[string]string{"PHASEGRID_OUTPUT": "json"}
	file := writeSweep(t, manyShards)
	got := phasegridWith(t.Context(), nil, env, "plan", file)
	if got.code != exitDone || !strings.HasPrefix(got.stdout, "{") {
		t.Errorf("PHASEGRID_OUTPUT=json: code %d, %s%s", got.code, got.stdout, got.stderr)
	}
	got = phasegridWith(t.Context(), nil, env, "plan", file, "-o", "yaml")
	if got.code != exitDone || !strings.HasPrefix(got.stdout, "name:") {
		t.Errorf("the command line comes first: code %d, %s", got.code, got.stdout)
	}
	got = phasegridWith(t.Context(), nil, map[string]string{"PHASEGRID_SLOTS": "many"}, "run", file)
	if got.code != exitUsage || !strings.Contains(got.stderr, "PHASEGRID_SLOTS") {
		t.Errorf("a bad variable: code %d, %s", got.code, got.stderr)
	}
	got = phasegridWith(t.Context(), strings.NewReader(manyShards), nil, "plan", "-")
	if got.code != exitDone || !strings.Contains(got.stdout, "many-shards") {
		t.Errorf("a sweep file on standard input: code %d, %s", got.code, got.stderr)
	}
}

func TestSecondRunNamesTheFirst(t *testing.T) {
	state := t.TempDir()
	unlock, err := ledger.LockFolder(state, "--state")
	if err != nil {
		t.Fatal(err)
	}
	got := phasegrid(t, "run", writeSweep(t, manyShards), "--out", t.TempDir(), "--state", state)
	if got.code != exitFailed || !strings.Contains(got.stderr, "process") || !strings.Contains(got.stderr, "--state") {
		t.Errorf("code %d: %s", got.code, got.stderr)
	}
	unlock()
	got = phasegrid(t, "run", writeSweep(t, manyShards), "--out", t.TempDir(), "--state", state)
	if got.code != exitDone {
		t.Errorf("after the first has ended: code %d: %s", got.code, got.stderr)
	}
}

// TestMistakesBeginWithTheirPosition checks that the mistakes of a sweep file have no prefix, one
// alike many, so that editors find the place; every other error has one.
func TestMistakesBeginWithTheirPosition(t *testing.T) {
	one := writeSweep(t, "name: x\nfixed: {optimiser: gd, covariance: isotropic, dimension: 3, steps: 2, "+
		"init_scale: 0.1, learning_rate: 0.1}\n")
	got := phasegrid(t, "plan", one)
	if !strings.HasPrefix(got.stderr, one+":2:9: ") || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("one mistake: got %q", got.stderr)
	}
	got = phasegrid(t, "plan", one, "--max-point-bytes", "x")
	if !strings.HasPrefix(got.stderr, "error: ") {
		t.Errorf("a wrong flag: got %q", got.stderr)
	}
}
