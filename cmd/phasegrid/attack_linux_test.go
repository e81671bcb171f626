package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/coordtest"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// coordinatorProcess runs a coordinator with an embedded etcd in a process of its own, which may
// have a number of descriptors, until the test ends. It must not end before.
func coordinatorProcess(t *testing.T, descriptors int) (address string, pid int) {
	t.Helper()
	address = freeAddress(t)
	cmd := exec.Command(
		"/bin/sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, descriptors), os.Args[0],
		"coordinator", "--listen", address, "--status-listen", "", "--embedded-etcd", t.TempDir(),
		"--store", "file://"+t.TempDir(),
	)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		select {
		case err := <-ended:
			t.Errorf("the coordinator ended: %v", err)
			return
		default:
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Errorf("the coordinator ended with %v", err)
		}
	})
	awaitLeader(t, address)
	return address, cmd.Process.Pid
}

// residentMiB returns the memory of a process.
func residentMiB(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	if match == nil {
		t.Fatalf("no VmRSS in %s", text)
	}
	kib, err := strconv.Atoi(string(match[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kib >> 10
}

// TestSilentConnections: 600 connections that say nothing, at 256 descriptors, neither end the
// process nor keep a sweep from being submitted.
func TestSilentConnections(t *testing.T) {
	address, _ := coordinatorProcess(t, 256)
	for range 600 {
		c, err := net.DialTimeout("tcp", address, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	got := phasegridWith(ctx, nil, nil, "submit", writeSweep(t, manyShards), "--coordinator", address)
	if got.code != exitDone {
		t.Errorf("submit: exit code %d\n%s", got.code, got.stderr)
	}
}

// TestUnfinishedRequests: requests of 4 MiB whose last byte never comes, 120 on each of two
// connections, take little memory.
func TestUnfinishedRequests(t *testing.T) {
	address, pid := coordinatorProcess(t, 1024)
	before := residentMiB(t, pid)
	const size = 4 << 20
	for range 2 {
		w, err := coordtest.DialWire(address)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		for range 120 {
			id, err := w.Call(pb.Sweeps_Submit_FullMethodName)
			if err == nil {
				err = w.Announce(id, size)
			}
			if err == nil {
				_, err = w.Send(id, make([]byte, size-1), 10*time.Millisecond)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if grown := residentMiB(t, pid) - before; grown > 128 && !raceDetector {
		t.Errorf("memory grew by %d MiB", grown)
	}
	if got := phasegrid(t, "ls", "--coordinator", address); got.code != exitDone {
		t.Errorf("ls: exit code %d\n%s", got.code, got.stderr)
	}
}
