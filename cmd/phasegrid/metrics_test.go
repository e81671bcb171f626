package main

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/node"
)

// TestRolesShareNoMetric: coordinators and nodes share no metric names, so that a sum over all
// processes of a cluster has one meaning. A registry accepts each name once.
func TestRolesShareNoMetric(t *testing.T) {
	registry := prometheus.NewRegistry()
	sets, err := store.Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg := coordinator.Config{Ledger: ledger.NewMemory(), Store: sets, Registry: registry}
	if _, err := coordinator.New(cfg); err != nil {
		t.Fatal(err)
	}
	node.NewMetrics(registry) // panics if a name is taken
}
