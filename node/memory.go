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

// memoryBudget is the memory that a node registered, shared by its slots: the coordinator looks at
// one shard at a time.
type memoryBudget struct {
	bytes        *semaphore.Weighted
	share, whole int64 // of a slot, of all
}

func newMemoryBudget(bytes int64, slots int) *memoryBudget {
	return &memoryBudget{semaphore.NewWeighted(bytes), max(1, bytes/int64(slots)), bytes}
}

// take waits for the bytes, a slot's share at least and all of them at most, and returns what is to
// be released.
func (m *memoryBudget) take(ctx context.Context, bytes int64) (taken int64, err error) {
	taken = min(max(bytes, m.share), m.whole)
	return taken, m.bytes.Acquire(ctx, taken)
}

// release gives back what take returned.
func (m *memoryBudget) release(taken int64) { m.bytes.Release(taken) }

// fallbackMemory is registered if the system does not tell: enough for every point that is allowed.
const fallbackMemory = sweep.DefaultPointBytes

// availableMemory is what this process may still take: the memory that the system calls available,
// or the limit of the control group (version 2) where that is less.
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
