package main

import (
	"os"
	"testing"
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
