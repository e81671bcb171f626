package solver

import (
	"errors"
	"fmt"
	"math"
)

// newSubspace returns the dynamics of the coordinates of W in a subspace that W never leaves, for a
// covariance with one large isotropic block, the bulk: span(θ, other eigenvectors, W_0), or for αI,
// which spans everything, W = B C Bᵀ + c(I - BBᵀ) with B = span(θ, other eigenvectors). In these
// coordinates Q is diagonal and the formulas are the dense ones.
func newSubspace(p *Problem, ws *workspace) (dynamics, error) {
	split, err := newBulkSplit(p, ws)
	if err != nil {
		return nil, err
	}
	if p.Model == Online {
		return newSubspaceOnline(p, split, ws)
	}
	if p.Init == Identity {
		n := split.signal()
		s, err := newMatrix(p, split.frame(0, ws), n, p.Dimension-n, ws)
		if err != nil {
			return nil, err
		}
		for i := range n {
			s.w[i*n+i] = p.InitScale
		}
		if s.rest > 0 {
			s.w[n*n] = p.InitScale
		}
		return s, nil
	}
	start := split.start(ws)
	s, err := newMatrix(p, split.frame(len(start)/p.Width-split.signal(), ws), p.Width, 0, ws)
	if err != nil {
		return nil, err
	}
	copy(s.w, start)
	return s, nil
}

// checkSubspace holds a problem against the conditions under which the subspace is exact.
func checkSubspace(p *Problem) error {
	switch {
	case p.Covariance.AR1:
		return errors.New("the subspace representation needs a covariance with a large isotropic block, not ar1")
	case p.Model == FiniteSample:
		return errors.New("the subspace representation cannot follow fixed samples")
	case p.Optimizer.row().basisDependent:
		return errors.New("the subspace representation needs an optimizer that does not depend on the basis")
	case p.Model == Online && p.Optimizer.row().onlineDense:
		return fmt.Errorf(
			"the subspace representation cannot follow %v online: its state gains directions with every batch",
			p.Optimizer,
		)
	}
	return nil
}

// bulkSplit divides the coordinates, before rotation, into those outside the largest eigenspace of
// Q and the bulk.
type bulkSplit struct {
	p       *Problem
	u       []float64 // θ/‖θ‖, d
	special []int     // coordinates outside the bulk
	values  []float64 // their eigenvalues
	runs    []Run     // the spectrum
	bulk    float64   // the bulk's eigenvalue
	bulkU   float64   // the length of u's part in the bulk: a direction of its own where it is not 0
}

func newBulkSplit(p *Problem, ws *workspace) (*bulkSplit, error) {
	s := &bulkSplit{p: p, u: ws.take(p.Dimension), runs: p.Covariance.Spectrum}
	if !direction(s.u, &p.Teacher) {
		return nil, errNoTeacher
	}
	counts := make(map[float64]int, len(s.runs))
	widest := 0
	for _, run := range s.runs {
		counts[run.Value] += run.Count
		if n := counts[run.Value]; n > widest {
			widest, s.bulk = n, run.Value
		}
	}
	at, length2 := 0, 0.0
	for _, run := range s.runs {
		for i := at; i < at+run.Count; i++ {
			if run.Value == s.bulk {
				length2 += float64(s.u[i] * s.u[i])
				continue
			}
			s.special = append(s.special, i)
			s.values = append(s.values, run.Value)
		}
		at += run.Count
	}
	s.bulkU = math.Sqrt(length2)
	if needs := s.signal() + p.Width; p.Init != Identity && needs > p.Dimension {
		return nil, fmt.Errorf(
			"the subspace representation needs %d directions, more than dimension %d",
			needs,
			p.Dimension,
		)
	}
	return s, nil
}

// signal is the dimension of span(θ, special directions).
func (s *bulkSplit) signal() int {
	if s.bulkU > 0 {
		return len(s.special) + 1
	}
	return len(s.special)
}

// frame is Q and θ in the coordinates: the special directions, θ's direction in the bulk, and more
// directions of the bulk.
func (s *bulkSplit) frame(more int, ws *workspace) *frame {
	n := s.signal() + more
	f := &frame{values: ws.take(n), u: ws.take(n), theta: ws.take(n), bulk: s.bulk}
	fill(f.values, s.bulk)
	copy(f.values, s.values)
	for i, j := range s.special {
		f.u[i] = s.u[j]
	}
	if s.bulkU > 0 {
		f.u[len(s.special)] = s.bulkU
	}
	length := math.Sqrt(s.p.Teacher.Norm2)
	for i, x := range f.u {
		f.theta[i] = length * x
	}
	f.q = diagonal{f.values}
	f.base, f.baseU = f.q, f.u
	return f
}

// start is W_0 in the coordinates of frame(m): its special rows, and R of the QR decomposition of
// [θ_bulk W_bulk], whose first row belongs to θ. W_0 has the numbers of the dense run and passes by
// in rows, so that no d x m matrix is ever held.
func (s *bulkSplit) start(ws *workspace) []float64 {
	m, k := s.p.Width, len(s.special)
	theta := s.signal() - k // columns before those of W
	folded := newFoldedQR(theta+m, startRowsAtOnce, ws)
	rows := newStartRows(s.p, ws)
	w := ws.take((k + theta + m) * m)
	row := make([]float64, theta+m)
	at, special := 0, 0
	for _, run := range s.runs {
		for i := at; i < at+run.Count; i++ {
			rows.next(row[theta:], i)
			if run.Value != s.bulk {
				copy(w[special*m:(special+1)*m], row[theta:])
				special++
				continue
			}
			if theta > 0 {
				row[0] = s.u[i] / s.bulkU
			}
			folded.add(row)
		}
		at += run.Count
	}
	r := folded.factor()
	for i := range theta + m {
		copy(w[(k+i)*m:(k+i+1)*m], r[i*(theta+m)+theta:(i+1)*(theta+m)])
	}
	// θ_bulk = ±e: the frame wants the plus.
	if theta > 0 && r[0] < 0 {
		for j := range m {
			w[k*m+j] = -w[k*m+j]
		}
	}
	return w
}

// startRowsAtOnce bounds the rows of W_0 that are held.
const startRowsAtOnce = 128

// startRows are the rows of W_0, before rotation: HW_0 where Q is rotated.
type startRows struct {
	p     *Problem
	ws    *workspace
	rng   random
	twoh  float64   // 2/‖h‖²
	along []float64 // hᵀW_0, nil without rotation
}

func newStartRows(p *Problem, ws *workspace) *startRows {
	r := &startRows{p: p, ws: ws, rng: newRandom(p.Seed, ws)}
	norm2 := 0.0
	for i := range p.Dimension {
		norm2 += 1 / float64(float64(i+2)*float64(i+2))
	}
	r.twoh = 2 / norm2
	if p.Covariance.Rotate {
		along, row := make([]float64, p.Width), make([]float64, p.Width)
		for i := range p.Dimension {
			r.next(row, i)
			axpy(along, 1/float64(i+2), row)
		}
		r.rng = newRandom(p.Seed, ws)
		r.along = along
	}
	return r
}

// next writes row i; rows are taken in order.
func (r *startRows) next(row []float64, i int) {
	h := 1 / float64(i+2)
	switch r.p.Init {
	case Gaussian:
		scale := r.p.InitScale / math.Sqrt(float64(len(row)))
		r.rng.Fill(row)
		r.ws.kernel.Scale(scale, row)
	case Orthonormal:
		for j := range row {
			row[j] = -r.p.InitScale * float64(float64(r.twoh*h)/float64(j+2))
		}
		if i < len(row) {
			row[i] += r.p.InitScale
		}
	}
	for j, x := range r.along {
		row[j] -= float64(float64(r.twoh*h) * x)
	}
}
