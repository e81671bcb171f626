package node

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"
)

// Config is what a node is told at its start. Zero values are defaults.
type Config struct {
	// Name must be unique in the cluster; by default host name and process id.
	Name string
	// Slots is how many shards are solved at once; by default GOMAXPROCS.
	Slots int
	// MemoryBytes is registered with the coordinator, which grants no shard above it; by default
	// what the machine has available (its cgroup's limit, where there is one).
	MemoryBytes int64
	// Version of the program, for people.
	Version string
	// Grace is how long running shards may go on once the node drains. By default none: they are
	// handed back.
	Grace time.Duration
	// DrainTimeout bounds the drain as a whole; by default 10 s.
	DrainTimeout time.Duration
	// Memo answers points that are known already; nil for none.
	Memo Memo
	// NewSolver makes a slot's solver; by default the real one.
	NewSolver func() Solver
	// Log is by default slog's.
	Log *slog.Logger
	// Metrics are by default kept and not shown.
	Metrics *Metrics
}

// Check tells what a coordinator would refuse.
func (c Config) Check() error {
	switch {
	case strings.Contains(c.Name, "/") || len(c.Name) > maxNameBytes || strings.ContainsFunc(c.Name, unicode.IsControl):
		return fmt.Errorf(
			"the name %q: give at most %d bytes without slashes and control characters",
			c.Name,
			maxNameBytes,
		)
	case c.Slots < 0 || c.Slots > maxSlots:
		return fmt.Errorf("%d slots: give 1 to %d, or 0 for the number of cores", c.Slots, maxSlots)
	case c.MemoryBytes < 0:
		return fmt.Errorf("%d bytes of memory: give a number above 0, or 0 for what is free", c.MemoryBytes)
	}
	return nil
}
