package sweep

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sort"
)

// PlanVersion is the version of the rules by which new sweeps are enumerated and cut: the entries
// of axes, constants and formulas. It is part of the sweep id. A sweep keeps the one it began with.
const PlanVersion = 2

// maxLook bounds the points that a plan evaluates to decide whether they are part of the sweep.
const maxLook = 1_000_000

// maxShards is the most shards that a sweep may have.
const maxShards = 1_000_000

// errPlanVersion says that a sweep was begun under a plan version by which this release cannot
// compute. NewPlan and RestorePlan return it.
var errPlanVersion = errors.New("plan version of the sweep")

// errTooLarge says that a sweep has more shards than one sweep may have. NewPlan returns it.
var errTooLarge = errors.New("sweep too large")

// ShardCost is the cost at which a shard ends.
const ShardCost = 2_000_000_000

// cuts are the constants of a plan version: a shard ends at the first of cost, Arrow bytes and
// points; a part at its bytes. The formulas of Cost and of the row sizes belong to it too.
type cuts struct {
	cost, bytes, points int64
	partBytes           int64
}

func presentCuts() cuts {
	return cuts{cost: ShardCost, bytes: 16 << 20, points: 16_384, partBytes: 128 << 20}
}

// checkPlanVersion passes the versions from low on that this release knows.
func checkPlanVersion(s *Spec, version, low int) error {
	if version != s.plan || version < low || version > PlanVersion {
		return fmt.Errorf(
			"%w: got %d, want %d; "+
				"finish it with the release that submitted it, or submit its file again as a new sweep",
			errPlanVersion,
			version,
			PlanVersion,
		)
	}
	return nil
}

// shard is a range of indices that ends at end and begins where the one before ends.
type shard struct {
	end   int64
	cost  int64
	bytes int64 // memory of its largest point
}

// Plan cuts the unfiltered indices of a sweep into shards, and the shards into parts: contiguous,
// in order, nothing left out and nothing twice. It depends on the spec and the plan version alone.
// Safe for concurrent use.
type Plan struct {
	spec    *Spec
	shards  []shard
	parts   []int64 // first shard of each part
	shapes  []Shape
	unnamed bool // more shapes than are listed
	flops   float64
	largest int64
	bytes   TableBytes
}

// NewPlan cuts a sweep by the constants of a plan version, which must be the present one. Memory is
// that of its shards, at most maxShards. Where the cost depends on an expression every point is
// evaluated: half a minute for ten million. NewPlan returns ctx's error when that ends first.
func NewPlan(ctx context.Context, s *Spec, version int) (*Plan, error) {
	if err := checkPlanVersion(s, version, PlanVersion); err != nil {
		return nil, err
	}
	c := cutter{
		constants: presentCuts(),
		record:    s.Record(),
		plan:      &Plan{spec: s},
		shapes:    make(map[Shape]int),
		toLook:    maxLook,
	}
	if err := c.cut(ctx, s.runs(0, s.Size())); err != nil {
		return nil, err
	}
	return c.plan, nil
}

// Shards is the number of shards.
func (p *Plan) Shards() int64 { return int64(len(p.shards)) }

// Shard returns the range of unfiltered indices of shard i.
func (p *Plan) Shard(i int64) (first, end int64) {
	if i > 0 {
		first = p.shards[i-1].end
	}
	return first, p.shards[i].end
}

// ShardOf returns the shard that holds an index.
func (p *Plan) ShardOf(index int64) int64 {
	return int64(sort.Search(len(p.shards), func(i int) bool { return p.shards[i].end > index }))
}

// Cost is the number of cost units of shard i, points that `where` leaves out included.
func (p *Plan) Cost(i int64) int64 { return p.shards[i].cost }

// Bytes is the memory that the largest point of shard i needs.
func (p *Plan) Bytes(i int64) int64 { return p.shards[i].bytes }

// Parts is the number of parts.
func (p *Plan) Parts() int64 { return int64(len(p.parts)) }

// Part returns the range of shards of part i.
func (p *Plan) Part(i int64) (firstShard, endShard int64) {
	if i+1 < int64(len(p.parts)) {
		return p.parts[i], p.parts[i+1]
	}
	return p.parts[i], p.Shards()
}

// PartOf returns the part that holds a shard.
func (p *Plan) PartOf(shard int64) int64 {
	i, found := slices.BinarySearch(p.parts, shard)
	if !found {
		i--
	}
	return int64(i)
}

// cutter fills a plan from runs of equal points. Sums are of integers, so that the cuts do not
// depend on how the runs are split.
type cutter struct {
	constants cuts
	record    Record
	plan      *Plan
	shapes    map[Shape]int // place in plan.shapes

	toLook int64 // indices that memory may still evaluate

	first, next int64 // the open shard is [first, next)
	open        shard
	openBytes   int64 // of Arrow
	partBytes   int64
}

func (c *cutter) cut(ctx context.Context, runs iter.Seq[run]) error {
	for r := range runs {
		if err := ctx.Err(); err != nil {
			return err
		}
		records := c.record.Count(r.a[Steps].i)
		cost, rows, memory := Cost(r.a, records), arrowBytes(r.a, c.record), c.memory(r)
		c.account(r, records, cost, memory, rows)
		for left := r.end - r.first; left > 0; {
			n := min(left, c.room(cost, rows.total()))
			if n == 0 {
				if err := c.close(); err != nil {
					return err
				}
				continue
			}
			c.next += n
			c.open.cost += n * cost
			c.openBytes += n * rows.total()
			c.open.bytes = max(c.open.bytes, memory)
			left -= n
		}
	}
	if c.next > c.first {
		return c.close()
	}
	return nil
}

// memory is the memory of a point of the run. Where it exceeds that of most machines, `where` may
// exclude all such points; the shard must then not wait for a larger node.
func (c *cutter) memory(r run) int64 {
	n := PointBytes(r.a, c.record)
	if n <= DefaultPointBytes || c.toLook <= 0 {
		return n
	}
	end := min(r.end, r.first+c.toLook)
	c.toLook -= end - r.first
	for p := range c.plan.spec.Points(r.first, end) {
		if p.Invalid == "" {
			return n
		}
	}
	if end < r.end {
		return n
	}
	return pointOverhead
}

// room is how many points of a cost and size the open shard still takes: at least one when it is
// empty.
func (c *cutter) room(cost, bytes int64) int64 {
	n := min(
		c.constants.points-(c.next-c.first),
		(c.constants.cost-c.open.cost)/cost,
		(c.constants.bytes-c.openBytes)/bytes,
	)
	if c.next == c.first {
		return max(n, 1)
	}
	return max(n, 0)
}

// close ends the open shard, in a new part when the part before is full.
func (c *cutter) close() error {
	p := c.plan
	if len(p.shards) == maxShards {
		return fmt.Errorf(
			"%w: got more than %d shards (of %d cost units, %d bytes of rows or %d points each) up to index %d; "+
				"lower steps, dimension, width, samples or record, or split the sweep",
			errTooLarge,
			maxShards,
			c.constants.cost,
			c.constants.bytes,
			c.constants.points,
			c.first,
		)
	}
	if len(p.parts) == 0 || c.partBytes+c.openBytes > c.constants.partBytes {
		p.parts = append(p.parts, int64(len(p.shards)))
		c.partBytes = 0
	}
	c.partBytes += c.openBytes
	c.open.end = c.next
	p.shards = append(p.shards, c.open)
	c.first, c.open, c.openBytes = c.next, shard{}, 0
	return nil
}

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
