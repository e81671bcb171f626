package node

import (
	"bufio"
	"context"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sync/semaphore"

	"github.com/phasegrid/phasegrid/sweep"
)

// memoryBudget is the memory that a node registered. Its slots share it, because the coordinator
// compares it with each shard alone.
type memoryBudget struct {
	bytes        *semaphore.Weighted
	share, whole int64 // bytes of one slot and of all
}

func newMemoryBudget(bytes int64, slots int) *memoryBudget {
	return &memoryBudget{semaphore.NewWeighted(bytes), max(1, bytes/int64(slots)), bytes}
}

// take waits for bytes, at least a slot's share and at most all, and returns the number to release.
func (m *memoryBudget) take(ctx context.Context, bytes int64) (taken int64, err error) {
	taken = min(max(bytes, m.share), m.whole)
	return taken, m.bytes.Acquire(ctx, taken)
}

// release gives back the bytes that take returned.
func (m *memoryBudget) release(taken int64) { m.bytes.Release(taken) }

// fallbackMemory is registered if the available memory is unknown: enough for every point that
// Parse allows by default.
const fallbackMemory = sweep.DefaultPointBytes

// availableMemory returns the memory that this process may use: the system's available memory, or
// the limit of the control group (version 2) if that is less.
func availableMemory() int64 {
	memory := int64(fallbackMemory)
	if f, err := os.Open("/proc/meminfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == "MemAvailable:" {
				if kib, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
					memory = kib << 10
				}
			}
		}
	}
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
			memory = min(memory, limit)
		}
	}
	return memory
}
