package node

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"time"
	"unicode"

	"github.com/phasegrid/phasegrid/node/solver"
)

// Config configures a node. Zero values select the defaults.
type Config struct {
	// Name must be unique in the cluster; default: host name and process id.
	Name string
	// Slots is the number of shards solved at once; default: GOMAXPROCS.
	Slots int
	// MemoryBytes is registered with the coordinator, which grants no shard that needs more;
	// default: the available memory of the machine or control group.
	MemoryBytes int64
	// Version of the program, shown to operators.
	Version string
	// Grace is how long running shards may continue once the node drains; default 0: they are
	// handed back.
	Grace time.Duration
	// DrainTimeout bounds the whole drain; default: 10 s.
	DrainTimeout time.Duration
	// Memo has the results of points solved before; nil for none.
	Memo Memo
	// NewSolver creates the solver of a slot; default: the built-in one.
	NewSolver func() Solver
	// Log defaults to slog.Default.
	Log *slog.Logger
	// Metrics are not registered by default.
	Metrics *Metrics
}

// Check returns an error for a configuration that a coordinator would reject.
func (c Config) Check() error {
	switch {
	case strings.Contains(c.Name, "/") || len(c.Name) > maxNameBytes || strings.ContainsFunc(c.Name, unicode.IsControl):
		return fmt.Errorf("check node name %q: want at most %d bytes without slashes and control characters",
			c.Name, maxNameBytes)
	case c.Slots < 0 || c.Slots > maxSlots:
		return fmt.Errorf("check slots: got %d, want 1..%d, or 0 for the number of cores", c.Slots, maxSlots)
	case c.MemoryBytes < 0:
		return fmt.Errorf("check memory: got %d bytes, want more than 0, or 0 for the available memory", c.MemoryBytes)
	}
	return nil
}

// withDefaults replaces zero values.
func (c Config) withDefaults() Config {
	if c.Name == "" {
		host, _ := os.Hostname()
		c.Name = fmt.Sprintf("%s-%d", cmp.Or(host, "node"), os.Getpid())
	}
	if c.Slots <= 0 {
		c.Slots = runtime.GOMAXPROCS(0)
	}
	if c.MemoryBytes <= 0 {
		c.MemoryBytes = availableMemory()
	}
	if c.DrainTimeout <= 0 {
		c.DrainTimeout = 10 * time.Second
	}
	if c.NewSolver == nil {
		c.NewSolver = func() Solver { return solver.New() }
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics(nil)
	}
	c.Log = c.Log.With("node", c.Name)
	return c
}
