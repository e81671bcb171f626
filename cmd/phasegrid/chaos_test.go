package main

import (
	"os"
	"testing"
)

// TestChaos runs a short fault-injection test. PHASEGRID_CHAOS sets its duration, such as 3m, and
// PHASEGRID_CHAOS_SEED its seed.
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
