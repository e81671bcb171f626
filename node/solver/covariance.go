package solver

import (
	"errors"
	"math"
)

// operator applies Q to matrices of m columns without forming it.
type operator interface {
	// apply stores Q W, with W d x m.
	apply(dst, w []float64, m int)
}

// diagonal is Q = diag(q).
type diagonal struct{ q []float64 }

func (o diagonal) apply(dst, w []float64, m int) {
	for i, q := range o.q {
		to, from := dst[i*m:(i+1)*m], w[i*m:(i+1)*m]
		if q == 1 {
			copy(to, from)
			continue
		}
		for j, x := range from {
			to[j] = q * x
		}
	}
}

// autoregressive is Q_ij = ρ^|i-j|. Row i of QW is f_i + b_i - w_i with f_i = w_i + ρ f_(i-1), b_i
// = w_i + ρ b_(i+1).
type autoregressive struct {
	rho  float64
	d    int
	back []float64 // one row
}

func (o autoregressive) apply(dst, w []float64, m int) {
	copy(dst[:m], w[:m])
	for i := m; i < o.d*m; i++ {
		dst[i] = w[i] + float64(o.rho*dst[i-m])
	}
	back := o.back[:m]
	clear(back)
	for i := o.d - 1; i >= 0; i-- {
		for j := range back {
			dst[i*m+j] += back[j]
			back[j] = float64(o.rho * (w[i*m+j] + back[j]))
		}
	}
}

// reflection is H = I - 2hhᵀ/‖h‖² with h_i = 1/(i+2).
type reflection struct {
	h    []float64
	twoh []float64 // 2h/‖h‖²
	row  []float64
}

func newReflection(d, m int, ws *workspace) *reflection {
	r := &reflection{ws.take(d), ws.take(d), ws.take(m)}
	for i := range r.h {
		r.h[i] = 1 / float64(i+2)
	}
	norm2 := dot(r.h, r.h)
	for i, x := range r.h {
		r.twoh[i] = 2 * x / norm2
	}
	return r
}

// apply stores H W; dst may be w.
func (r *reflection) apply(dst, w []float64, m int) {
	row := r.row[:m]
	combine(row, r.h, w, m)
	for i, x := range r.twoh {
		for j, y := range row {
			dst[i*m+j] = w[i*m+j] - float64(x*y)
		}
	}
}

// rotated is H Q H.
type rotated struct {
	h    *reflection
	q    operator
	temp []float64
}

func (o rotated) apply(dst, w []float64, m int) {
	temp := o.temp[:len(o.h.h)*m]
	o.h.apply(temp, w, m)
	o.q.apply(dst, temp, m)
	o.h.apply(dst, dst, m)
}

// frame holds Q and θ in the coordinates of the run and in those where Q has not been rotated (the
// same, without rotation).
type frame struct {
	q      operator
	base   operator
	h      *reflection // nil without rotation
	values []float64   // q_i of a diagonal base, else nil
	u      []float64   // θ/‖θ‖
	baseU  []float64
	theta  []float64
	bulk   float64 // eigenvalue of Q outside a frame of fewer than d directions
}

func newFrame(p *Problem, ws *workspace) (*frame, error) {
	d, m := p.Dimension, p.Width
	f := &frame{baseU: ws.take(d), theta: ws.take(d)}
	if !direction(f.baseU, &p.Teacher, ws) {
		return nil, errNoTeacher
	}
	if p.Covariance.AR1 {
		f.base = autoregressive{p.Covariance.Rho, d, ws.take(m)}
	} else {
		f.values = expand(p.Covariance.Spectrum, ws.take(d))
		f.base = diagonal{f.values}
	}
	f.q, f.u = f.base, f.baseU
	if p.Covariance.Rotate {
		f.h = newReflection(d, m, ws)
		f.q = rotated{f.h, f.base, ws.take(d * m)}
		f.u = ws.take(d)
		f.h.apply(f.u, f.baseU, 1)
	}
	length := math.Sqrt(p.Teacher.Norm2)
	for i, x := range f.u {
		f.theta[i] = length * x
	}
	return f, nil
}

// expand writes a run-length encoded spectrum out.
func expand(runs []Run, dst []float64) []float64 {
	at := 0
	for _, run := range runs {
		fill(dst[at:at+run.Count], run.Value)
		at += run.Count
	}
	return dst
}

var errNoTeacher = errors.New("teacher weights: got a sum of zero or not finite; want weights that do not cancel")

// direction writes the teacher's unit vector before rotation into u, zeros on entry. It returns
// false where there is none.
func direction(u []float64, t *Teacher, ws *workspace) bool {
	switch t.Kind {
	case Eigen:
		u[t.Index] = 1
	case Uniform:
		fill(u, 1/math.Sqrt(float64(len(u))))
	case Mix:
		for _, w := range t.Weights {
			u[w.Index] += w.Weight
		}
		return normalise(u)
	case Random:
		newRandom(t.Seed^teacherStream, ws).Fill(u)
		return normalise(u)
	}
	return true
}

// teacherStream separates the teacher's random numbers from those of runs with the same seed.
const teacherStream = 0xD1B54A32D192ED03

// normalise divides by the Euclidean norm. It returns false where that is 0 or not finite.
func normalise(u []float64) bool {
	norm := math.Sqrt(dot(u, u))
	if !(norm > 0) || !finite(norm) {
		return false
	}
	for i := range u {
		u[i] /= norm
	}
	return true
}
