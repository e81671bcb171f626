package solver

import (
	"fmt"
	"math"
)

// subspaceOnline is the online run in a subspace, exact in law. The matrix has the rows of span(θ,
// special directions), of a frame E of the bulk parts of W and of the optimizer's buffer, and of
// the new directions of one batch, which are zero in W between the steps.
//
// Only an input's coordinates in the first two enter the predictions. What the batch adds elsewhere
// in the bulk is Σ r_i q_i h_iᵀ/n, h_i = Wᵀx_i, with q_i ~ N(0, q_b I_D) independent of (r, h):
// with K = (r_i h_iᵀ)/n = O L it is √q_b Z L in law, Z a D x min(n, m) matrix of normals, of whose
// QR decomposition only the triangle matters, drawn directly by Bartlett's decomposition. After the
// step one QR decomposition brings the bulk parts back to the rows of E.
type subspaceOnline struct {
	*matrix
	seenRows int // rows of x
	signal   int
	fresh    int     // rows of new directions
	outside  float64 // D
	rng      random
	root     []float64 // √q by row of x
	x        []float64 // seen coordinates, n x seenRows
	z        []float64 // XW, then K
	triangle []float64 // of Z
	l        *foldedQR
	bulkRows *foldedQR // of [W M], M the optimizer's buffers
	row      []float64
}

func newSubspaceOnline(p *Problem, split *bulkSplit, ws *workspace) (*subspaceOnline, error) {
	m, n := p.Width, p.Samples
	signal, frame, fresh := split.signal(), (1+p.Optimizer.row().buffers)*m, min(n, m)
	outside := p.Dimension - signal - frame
	if outside < fresh {
		return nil, fmt.Errorf(
			"subspace representation: got %d directions, want at most dimension %d; use dense",
			signal+frame+fresh,
			p.Dimension,
		)
	}
	run, err := newMatrix(p, split.frame(frame+fresh, ws), m, 0, ws)
	if err != nil {
		return nil, err
	}
	seen := signal + frame
	s := &subspaceOnline{matrix: run, seenRows: seen, signal: signal, fresh: fresh, outside: float64(outside),
		rng: newRandom(p.Seed, ws), root: ws.take(seen), x: ws.take(n * seen), z: ws.take(n * m),
		triangle: ws.take(fresh * fresh), l: newFoldedQR(m, min(n, 128), ws), row: ws.take(frame)}
	s.bulkRows = newFoldedQR(frame, fresh, ws)
	for i := range s.root {
		s.root[i] = math.Sqrt(run.frame.values[i])
	}
	s.initialise(split, ws)
	run.source = s
	return s, nil
}

// initialise draws W_0. Of random entries the law is enough: rows of normals, and a triangle by
// Bartlett's decomposition, which has the norm of what it stands for.
func (s *subspaceOnline) initialise(split *bulkSplit, ws *workspace) {
	m := s.m
	if s.p.Init != Gaussian && s.p.Init != Sphere {
		copy(s.w, split.start(ws))
		return
	}
	scale := s.p.InitScale / math.Sqrt(float64(m))
	top := s.w[:s.signal*m]
	s.rng.Fill(top)
	s.rng.bartlett(s.w[s.signal*m:(s.signal+m)*m], m, float64(s.p.Dimension-s.signal))
	drawn := s.w[:(s.signal+m)*m]
	if s.p.Init == Sphere {
		scale = s.p.InitScale / math.Sqrt(s.ws.kernel.SumSquares(drawn))
	}
	for i := range drawn {
		drawn[i] *= scale
	}
}

// gradient draws a batch and stores its G at w.
func (s *subspaceOnline) gradient(g, w []float64) {
	n, m, seen := s.p.Samples, s.m, s.seenRows
	for i := range n {
		x := s.x[i*seen : (i+1)*seen]
		s.rng.Fill(x)
		for j, q := range s.root {
			x[j] *= q
		}
	}
	s.ws.multiply(s.z, s.x, w[:seen*m], n, seen, m)
	for i := range n {
		z := s.z[i*m : (i+1)*m]
		along := dot(s.x[i*seen:i*seen+s.signal], s.frame.theta[:s.signal])
		sum := dot(z, z)
		if s.layer.negative > 0 {
			sum = s.layer.sum(z)
		}
		residual := sum - float64(along*along)
		if s.p.LabelNoise > 0 {
			residual -= float64(s.p.LabelNoise * s.rng.Next())
		}
		for j := range z {
			z[j] = float64(z[j]*residual) / float64(n)
		}
	}
	s.layer.flipColumns(s.z)
	s.ws.multiplyTransposed(g[:seen*m], s.x, s.z, seen, n, m)
	s.l.reset()
	for i := range n {
		s.l.add(s.z[i*m : (i+1)*m])
	}
	l := s.l.factor()
	s.rng.bartlett(s.triangle, s.fresh, s.outside)
	root := math.Sqrt(s.frame.bulk)
	for i := range s.triangle {
		s.triangle[i] *= root
	}
	s.ws.multiply(g[seen*m:], s.triangle, l[:s.fresh*m], s.fresh, s.fresh, m)
}

func (s *subspaceOnline) step(k int, rate float64) error {
	if err := s.matrix.step(k, rate); err != nil {
		return err
	}
	s.compress()
	return nil
}

// compress turns the bulk so that W and the buffers are zero on the rows of new directions again.
func (s *subspaceOnline) compress() {
	m := s.m
	s.bulkRows.reset()
	for i := s.signal; i < s.n; i++ {
		copy(s.row, s.w[i*m:(i+1)*m])
		for b, buffer := range s.buffers {
			copy(s.row[(1+b)*m:], buffer[i*m:(i+1)*m])
		}
		s.bulkRows.add(s.row)
	}
	r := s.bulkRows.factor()
	for i := range s.n - s.signal {
		at := (s.signal + i) * m
		s.turned(s.w[at:at+m], r, i, 0)
		for b, buffer := range s.buffers {
			s.turned(buffer[at:at+m], r, i, 1+b)
		}
	}
}

// turned stores row i of the block-th m columns of the triangle r, 0 below it.
func (s *subspaceOnline) turned(dst, r []float64, i, block int) {
	columns := s.bulkRows.a.Cols
	if i >= columns {
		clear(dst)
		return
	}
	copy(dst, r[i*columns+block*s.m:])
}
