package sweep

import (
	"errors"
	"fmt"
)

// CutRun is a run of equal shards of a plan. Plans are stored as such runs, since cutting a sweep
// again may evaluate ten million points.
type CutRun struct {
	Shards int64
	Points int64 // indices of each shard
	Cost   int64 // of each shard
	Bytes  int64 // memory of the largest point of each shard
}

// errOtherSweep says that cuts are not those of the sweep that they came with. RestorePlan returns
// it.
var errOtherSweep = errors.New("the cuts belong to another sweep")

// CutRuns returns the shards of a plan and the first shard of each part, for RestorePlan.
func (p *Plan) CutRuns() (runs []CutRun, parts []int64) {
	first := int64(0)
	var run CutRun
	for _, s := range p.shards {
		points := s.end - first
		first = s.end
		if run.Points == points && run.Cost == s.cost && run.Bytes == s.bytes {
			run.Shards++
			runs[len(runs)-1] = run
			continue
		}
		run = CutRun{1, points, s.cost, s.bytes}
		runs = append(runs, run)
	}
	return runs, p.parts
}

// RestorePlan is the plan that a sweep was cut by, of the present plan version or an earlier one.
// Its Summary is empty.
func RestorePlan(s *Spec, version int, runs []CutRun, parts []int64) (*Plan, error) {
	if err := checkPlanVersion(s, version, 1); err != nil {
		return nil, err
	}
	p := &Plan{spec: s, parts: parts}
	end := int64(0)
	for _, r := range runs {
		if r.Shards < 1 || r.Shards > maxShards-int64(len(p.shards)) || r.Points < 1 ||
			r.Points > (s.Size()-end)/r.Shards ||
			r.Cost < 0 ||
			r.Bytes < 0 {
			return nil, fmt.Errorf("%w: %+v after index %d of %d", errOtherSweep, r, end, s.Size())
		}
		for range r.Shards {
			end += r.Points
			p.shards = append(p.shards, shard{end, r.Cost, r.Bytes})
		}
	}
	if end != s.Size() {
		return nil, fmt.Errorf("%w: %d indices of %d", errOtherSweep, end, s.Size())
	}
	for i, first := range parts {
		if i == 0 && first != 0 || i > 0 && first <= parts[i-1] || first >= p.Shards() {
			return nil, fmt.Errorf("%w: part %d begins with shard %d of %d", errOtherSweep, i, first, p.Shards())
		}
	}
	if len(parts) == 0 && end > 0 {
		return nil, fmt.Errorf("%w: no parts", errOtherSweep)
	}
	return p, nil
}
