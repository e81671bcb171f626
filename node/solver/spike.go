package solver

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// spikeMargin is the relative distance above uᵀQu from which an eigenvalue counts as a spike.
const spikeMargin = 1e-9

// spikeFloor is the norm below which what is left of a unit vector, with u projected out, counts as
// zero.
const spikeFloor = 1e-9

// spikes measures the energy of W in the eigenvectors V of Q with eigenvalues above uᵀQu, as far as
// they are orthogonal to u.
//
// With v = Vᵀu the range of (I - uuᵀ)V is the part of span V orthogonal to Vv, where V is
// untouched, and the direction z = Vv/‖v‖ - ‖v‖u. For an eigenvector u, v = 0 and the energy is
// ‖VᵀW‖².
type spikes struct {
	ws       *workspace
	h        *reflection // into the frame where V is known, nil if that is the run's
	selected []int       // V = these columns of I
	vectors  []float64   // V, d x k, otherwise
	v        []float64   // Vᵀu/‖Vᵀu‖, nil for an eigenvector
	z        []float64   // z/‖z‖, nil where ‖z‖ <= spikeFloor
	bulk     bool        // the directions outside the frame are spikes
	m        int
	turned   []float64 // HW
	rows     []float64 // VᵀW, k x m
	t        []float64 // m
}

func newSpikes(p *Problem, f *frame, m int, ws *workspace) (*spikes, error) {
	d := len(f.u)
	s := &spikes{ws: ws, h: f.h, m: m, t: ws.take(m)}
	qu := ws.take(d)
	f.base.apply(qu, f.baseU, 1)
	mean := dot(f.baseU, qu)
	above := mean + float64(spikeMargin*mean)
	s.bulk = f.bulk > above
	var v []float64
	if f.values != nil {
		for i, q := range f.values {
			if q > above {
				s.selected = append(s.selected, i)
			}
		}
		v = ws.take(len(s.selected))
		for i, j := range s.selected {
			v[i] = f.baseU[j]
		}
	} else {
		if err := s.eigenvectors(p, above, ws); err != nil {
			return nil, err
		}
		k := len(s.vectors) / d
		s.rows = ws.take(k * m)
		v = ws.take(k)
		combine(v, f.baseU, s.vectors, k)
	}
	if s.h != nil {
		s.turned = ws.take(d * m)
	}
	s.deflate(v, f.baseU, ws)
	return s, nil
}

// eigenvectors computes the eigenvectors of ar1 whose eigenvalues exceed above.
func (s *spikes) eigenvectors(p *Problem, above float64, ws *workspace) error {
	d := p.Dimension
	a := blas64.Symmetric{N: d, Stride: d, Uplo: blas.Upper, Data: ws.take(d * d)}
	for i := range d {
		power := 1.0
		for j := i; j < d; j++ {
			a.Data[i*d+j] = power
			power *= p.Covariance.Rho
		}
	}
	values := ws.take(d)
	if !symmetricEigen(a, values, eigenWork(d, ws)) {
		return fmt.Errorf("eigenvalues of the ar1 covariance at dimension %d: no convergence", d)
	}
	first := d
	for first > 0 && values[first-1] > above {
		first--
	}
	k := d - first
	s.vectors = ws.take(d * k)
	for i := range d {
		copy(s.vectors[i*k:(i+1)*k], a.Data[i*d+first:(i+1)*d])
	}
	return nil
}

func (s *spikes) deflate(v, u []float64, ws *workspace) {
	norm2 := dot(v, v)
	if norm2 == 0 {
		return
	}
	norm := math.Sqrt(norm2)
	for i := range v {
		v[i] /= norm
	}
	s.v = v
	z := ws.take(len(u))
	if s.selected != nil {
		for i, j := range s.selected {
			z[j] = v[i]
		}
	} else {
		ws.multiply(z, s.vectors, v, len(u), len(v), 1)
	}
	for i := range z {
		z[i] -= float64(norm * u[i])
	}
	if left := math.Sqrt(dot(z, z)); left > spikeFloor {
		for i := range z {
			z[i] /= left
		}
		s.z = z
	}
}

// energy is the squared norm of W's part in the spikes.
func (s *spikes) energy(w []float64) float64 {
	if len(s.selected) == 0 && len(s.vectors) == 0 {
		return 0
	}
	if s.h != nil {
		s.h.apply(s.turned, w, s.m)
		w = s.turned
	}
	if s.vectors != nil {
		s.ws.multiplyTransposed(s.rows, s.vectors, w, len(s.rows)/s.m, len(w)/s.m, s.m)
	}
	var sum lanes8
	if s.v == nil {
		for i, n := 0, s.count(); i < n; i++ {
			s.add(&sum, i*s.m, s.row(w, i), 0)
		}
		return sum.total()
	}
	clear(s.t)
	for i, x := range s.v {
		axpy(s.t, x, s.row(w, i))
	}
	for i, x := range s.v {
		s.add(&sum, i*s.m, s.row(w, i), x)
	}
	energy := sum.total()
	if s.z != nil {
		combine(s.t, s.z, w, s.m)
		energy += dot(s.t, s.t)
	}
	return energy
}

func (s *spikes) count() int {
	if s.vectors != nil {
		return len(s.rows) / s.m
	}
	return len(s.selected)
}

// row is row i of VᵀW.
func (s *spikes) row(w []float64, i int) []float64 {
	if s.vectors != nil {
		return s.rows[i*s.m : (i+1)*s.m]
	}
	at := s.selected[i] * s.m
	return w[at : at+s.m]
}

// add adds ‖row - x t‖², whose entries begin at index at of the block summed over.
func (s *spikes) add(sum *lanes8, at int, row []float64, x float64) {
	for j, y := range row {
		if x != 0 {
			y -= float64(x * s.t[j])
		}
		sum[(at+j)&7] += float64(y * y)
	}
}
