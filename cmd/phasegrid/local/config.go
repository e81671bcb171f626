package local

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/phasegrid/phasegrid/node"
)

// maxNodes bounds the node processes of a cluster.
const maxNodes = 256

// Config describes a local cluster.
type Config struct {
	Out           string // directory for result sets
	State         string // directory for the in-progress state of this sweep
	Owner         string // see Owner; "" is another one for each state
	Nodes         int    // node processes; 0 solves in this process
	Slots         int    // of each node
	MaxPointBytes int64  // sweeps with a point that needs more memory are rejected; 0 is the default
	Version       string // of this program
	Revision      string // of this program

	Memo       node.Memo // results of earlier sweeps; nil if there are none
	MemoFolder string    // where node processes find them

	Log            *slog.Logger
	CoordinatorLog *slog.Logger
	Environ        []string  // of node processes
	NodeFlags      []string  // further flags of node processes
	Stderr         io.Writer // of node processes
}

// Check returns an error about the numbers of nodes and slots, where no cluster could use them.
func (c Config) Check() error {
	if c.Nodes < 0 || c.Nodes > maxNodes {
		return fmt.Errorf("--nodes: got %d, want 0..%d", c.Nodes, maxNodes)
	}
	if c.Slots < 0 {
		return fmt.Errorf("--slots: got %d, want 0 or more", c.Slots)
	}
	return node.Config{Name: "local", Slots: c.Slots}.Check()
}
