package coordtest

import (
	"fmt"

	"github.com/phasegrid/phasegrid/sweep"
)

// SweepFile returns a sweep file that is cut into the given number of shards, each with the given
// number of points.
func SweepFile(shards, points int) ([]byte, error) {
	text := func(steps int64) []byte {
		return fmt.Appendf(nil, `
name: bench
fixed:
  {model: population, covariance: spiked, dimension: 100, init: identity, init_scale: 0.01,
   learning_rate: 0.001, steps: %d, optimizer: gd}
grid: {anisotropy: {linspace: {from: 1, to: 100, num: %d}}}
record: none
`, steps, max(2, shards*points))
	}
	cost := func(steps int64) (int64, error) {
		spec, err := sweep.Parse("bench.yaml", text(steps), sweep.Limits{})
		if err != nil {
			return 0, err
		}
		p, _ := spec.Point(0)
		return sweep.Cost(p.Params, 0), nil
	}
	const probe = 1000 // the cost is linear in the number of steps
	one, err := cost(probe)
	if err != nil {
		return nil, err
	}
	two, err := cost(2 * probe)
	if err != nil {
		return nil, err
	}
	step := (two - one) / probe
	return text(max(1, (sweep.ShardCost/int64(points)-(one-probe*step))/step)), nil
}
