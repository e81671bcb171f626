package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

const (
	// nodesRounds are taken in turns, and the fastest of each counts: other load slows one or the
	// other.
	nodesRounds = 2
	// nodesPoints of 2,000,000 steps take one core about half a minute.
	nodesPoints = 12_000
)

// nodeProcesses runs a compute-bound sweep, from the start of the command to its exit, with one
// node process of one slot and with two.
func (s scheduling) nodeProcesses(ctx context.Context, points int) error {
	best := map[int]time.Duration{}
	for range nodesRounds {
		for _, nodes := range []int{1, 2} {
			s.report.begin("a sweep of %d long points, %d node processes", points, nodes)
			took, err := s.runNodes(ctx, points, nodes)
			if err != nil {
				return fmt.Errorf("%d node processes: %w", nodes, err)
			}
			if best[nodes] == 0 || took < best[nodes] {
				best[nodes] = took
			}
		}
	}
	s.report.add(Figure{
		Name: "compute-bound sweep, 2 node processes", Value: best[2].Seconds(), Unit: "s",
		Ratio: best[1].Seconds() / best[2].Seconds(), Baseline: "1 node process", Note: "phasegrid run as a whole",
	}, ratioAtLeast(1.85))
	return nil
}

// runNodes returns how long `phasegrid run` takes.
func (s scheduling) runNodes(ctx context.Context, points, nodes int) (time.Duration, error) {
	folder, _, err := tempFolder(s.folder)
	if err != nil {
		return 0, err
	}
	program, err := os.Executable()
	if err != nil {
		return 0, fmt.Errorf("find this program: %w", err)
	}
	file := filepath.Join(folder, "nodes.yaml")
	text := fmt.Sprintf(`name: nodes
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, optimizer: gd,
  learning_rate: 0.0001, dimension: 20, steps: 2000000}
grid: {anisotropy: {linspace: {from: 1, to: 9, num: %d}}}
record: none
`, points)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, program, "run", file,
		"--out", filepath.Join(folder, "results"), "--state", filepath.Join(folder, "state"),
		"--nodes", strconv.Itoa(nodes), "--slots", "1")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	return took, nil
}
