package solver

import (
	"context"
	"math"
	"slices"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// solveReduced runs the reduced points of a batch in vector lanes. Points of different laws or
// numbers of eigenspaces cannot share vectors and run one law after another; long points come
// first, so that few lanes are idle at the end.
func (s *Solver) solveReduced(ctx context.Context, problems []Problem, results []Result) error {
	points := make([]reducedPoint, 0, len(problems))
	for i := range problems {
		p, r := &problems[i], &results[i]
		if p.Representation != Reduced {
			continue
		}
		r.reset()
		if err := check(p); err != nil {
			r.Status, r.Detail = Failed, err.Error()
			continue
		}
		points = append(points, newReducedPoint(p, r))
	}
	slices.SortStableFunc(points, func(a, b reducedPoint) int {
		if c := a.law.compare(b.law); c != 0 {
			return c
		}
		return b.p.Steps - a.p.Steps
	})
	for len(points) > 0 {
		n := 1
		for n < len(points) && points[n].law == points[0].law {
			n++
		}
		host := &laneHost{lanes: s.lanes, waiting: points[:n], tables: map[scheduleKey][]float64{}}
		if err := s.lanes.Run(ctx, points[0].law.rules(), points[0].law.groups, n, host); err != nil {
			return err
		}
		points = points[n:]
	}
	return nil
}

// law is what points that share vectors have in common.
type law struct {
	optimizer      Optimizer
	groups         int
	nesterov       bool
	decays         bool
	scheduled      bool
	normalize      bool
	orthogonalizer Orthogonalizer
	steps          int // of Newton-Schulz or Polar Express
}

func newLaw(p *Problem, groups int) law {
	row := p.Optimizer.row()
	l := law{optimizer: p.Optimizer, groups: groups, decays: p.WeightDecay != 0,
		scheduled: p.Schedule != Constant || row.power != nil, orthogonalizer: ExactPolar}
	if row.share != nil {
		row.share(&l, p)
	}
	return l
}

func (l law) compare(m law) int {
	if l == m {
		return 0
	}
	number := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return slices.Compare(
		[]int{
			int(l.optimizer),
			l.groups,
			number(l.nesterov),
			number(l.decays),
			number(l.scheduled),
			number(l.normalize),
			int(l.orthogonalizer),
			l.steps,
		},
		[]int{
			int(m.optimizer),
			m.groups,
			number(m.nesterov),
			number(m.decays),
			number(m.scheduled),
			number(m.normalize),
			int(m.orthogonalizer),
			m.steps,
		},
	)
}

func (l law) rules() simd.Law {
	// m = d, so that muon's scale is 1.
	s := simd.Law{
		Rule:      l.optimizer.row().lanes,
		Nesterov:  l.nesterov,
		Decays:    l.decays,
		Scheduled: l.scheduled,
		Normalize: l.normalize,
		Exact:     true,
		Slack:     1,
		Scale:     1,
	}
	if l.orthogonalizer != ExactPolar {
		s.Exact = false
		s.Quintics, s.Slack = quintics(l.orthogonalizer, l.steps)
	}
	return s
}

// reducedPoint is one point in a lane.
type reducedPoint struct {
	reduced
	p      *Problem
	r      *Result
	law    law
	watch  progress
	record []int
	store  []float64 // for the coefficients of recorded samples
	table  []float64 // of its schedule
}

func newReducedPoint(p *Problem, r *Result) reducedPoint {
	a := reducedPoint{reduced: newReduced(p), p: p, r: r, record: p.Record}
	a.law = newLaw(p, len(a.groups))
	a.watch = newProgress(p, a.groups[0].Eigenvalue*p.Teacher.Norm2)
	a.name(r)
	return a
}

// laneHost loads points into lanes and stores their results.
type laneHost struct {
	lanes   *simd.Lanes
	waiting []reducedPoint
	running [simd.MaxLanes]*reducedPoint // by lane
	w       []float64
	tables  map[scheduleKey][]float64
}

var _ simd.Host = (*laneHost)(nil)

func (h *laneHost) Load(lane int) bool {
	if len(h.waiting) == 0 {
		return false
	}
	a := &h.waiting[0]
	h.waiting, h.running[lane] = h.waiting[1:], a
	p := a.p
	h.lanes.Set(
		lane,
		simd.Point{Norm2: p.Teacher.Norm2, Scale: p.InitScale, Rate: p.LearningRate, WeightDecay: p.WeightDecay,
			Beta: a.beta(), Beta2: p.Beta2, Epsilon: p.Epsilon, Power: p.Power,
			RelativeZero: relativeZero(p.Dimension, p.Width)},
	)
	for g, group := range a.groups {
		h.lanes.SetGroup(lane, g, group.Eigenvalue, float64(group.Multiplicity))
	}
	if a.law.scheduled {
		a.table = h.schedule(p)
	}
	a.store = make([]float64, len(a.record)*len(a.groups))
	a.r.Trajectory = slices.Grow(a.r.Trajectory, len(a.record))
	return true
}

func (a *reducedPoint) beta() float64 {
	if decay := a.p.Optimizer.row().decay; decay != nil {
		return decay(a.p)
	}
	return a.p.Momentum
}

func (h *laneHost) Observe(lane, k int, seen simd.Observation) (done bool) {
	a := h.running[lane]
	o := observation{seen.Loss, seen.SignalAlignment, seen.SpikeAlignment}
	if !seen.Bounded {
		a.r.Status, a.r.DivergedStep, a.r.StepsRun = Diverged, k, k
		if k > 0 {
			w := h.coefficients(a, lane, 1)
			a.r.Final = a.metrics(w, a.observe(w))
		}
		h.finish(a, lane)
		return true
	}
	a.watch.cross(k, o)
	if k == a.watch.tailStart {
		h.lanes.SumTail(lane)
	}
	if len(a.record) > 0 && a.record[0] == k {
		a.record = a.record[1:]
		n := len(a.groups)
		w := a.store[:n:n]
		a.store = a.store[n:]
		h.lanes.Coefficients(w, lane, 0)
		a.r.Trajectory = append(a.r.Trajectory, Sample{Step: k, Metrics: a.metrics(w, o), Coefficients: w})
	}
	if k == a.p.Steps {
		a.r.StepsRun = k
		a.r.Final = a.metrics(h.coefficients(a, lane, 0), o)
		a.watch.tailSignal, a.watch.tailLoss = h.lanes.Tail(lane)
		a.watch.sum(o)
		h.finish(a, lane)
		return true
	}
	h.lanes.SetWatch(lane, a.watch.watch(k, a.record))
	return false
}

// finish stores the result of a point; the lanes have its peak.
func (h *laneHost) finish(a *reducedPoint, lane int) {
	a.watch.peak, a.watch.peakStep = h.lanes.Peak(lane)
	a.watch.store(a.r)
}

// coefficients are the lane's w_g, back iterates ago. They are overwritten by the next call.
func (h *laneHost) coefficients(a *reducedPoint, lane, back int) []float64 {
	h.w = append(h.w[:0], make([]float64, len(a.groups))...)
	h.lanes.Coefficients(h.w, lane, back)
	return h.w
}

// Rate is called ahead of time, also for steps that will not be taken.
func (h *laneHost) Rate(lane, k int) (rate, power float64) {
	a := h.running[lane]
	rate, power = a.p.LearningRate, a.p.Power
	switch {
	case k < len(a.table):
		rate *= a.table[k]
	case a.p.Schedule != Constant:
		rate *= a.p.schedule(k)
	}
	if exponent := a.p.Optimizer.row().power; exponent != nil {
		power = exponent(a.p, k)
	}
	return rate, power
}

// scheduleKey identifies a schedule.
type scheduleKey struct {
	schedule Schedule
	steps    int
	warm     float64
}

// tableSteps bounds the schedules that are tabulated and shared by points.
const tableSteps = 1 << 16

func (h *laneHost) schedule(p *Problem) []float64 {
	if p.Schedule == Constant {
		return nil
	}
	key := scheduleKey{p.Schedule, p.Steps, p.LRWarm}
	table, ok := h.tables[key]
	if !ok && p.Steps <= tableSteps && !math.IsNaN(p.LRWarm) {
		table = make([]float64, p.Steps)
		for k := range table {
			table[k] = p.schedule(k)
		}
		if len(h.tables) > 16 {
			clear(h.tables)
		}
		h.tables[key] = table
	}
	return table
}
