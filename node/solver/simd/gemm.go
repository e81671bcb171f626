package simd

import (
	"fmt"
	"unsafe"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Tile and block sizes of the packed product. A tile of C is tileRows x tileCols; a panel of B
// (blockDepth x tileCols) stays in the first-level cache, a block of A (blockRows x blockDepth) in
// the second.
const (
	tileRows   = 8
	tileCols   = 16
	blockRows  = 256
	blockDepth = 192
	blockCols  = 2048
)

// operand locates a tile's rows of A or columns of B: element k of row r at lane·r + step·k bytes,
// of column c at 8c + step·k.
type operand struct {
	at         unsafe.Pointer
	lane, step int
}

// packed is an operand in a panel of the given number of lanes.
func packed(panel []float64, lanes int) operand {
	return operand{unsafe.Pointer(&panel[0]), 8, 8 * lanes}
}

// farAway is the number of elements of packed B that do not all stay in the second-level cache.
const farAway = 1 << 16

// inPlaceLimit is the number of elements, strides counted, that stay in the first-level cache in
// any order of access.
const inPlaceLimit = 4096

// shortRow is the length up to which the rows of a tile do not map to the same sets of the
// first-level cache.
const shortRow = 384

// inPlaceA reports whether full tiles of A's rows can be read where they are: alpha is 1, and the
// rows are short or, for columns, few.
func inPlaceA(t blas.Transpose, alpha float64, a blas64.General) bool {
	return alpha == 1 && (t == blas.NoTrans && a.Stride <= shortRow || a.Rows*a.Stride <= inPlaceLimit)
}

// inPlaceB reports whether full tiles of B's columns can be read where they are.
func inPlaceB(t blas.Transpose, b blas64.General) bool {
	return t == blas.NoTrans && b.Rows*b.Stride <= inPlaceLimit
}

// Multiplier multiplies matrices with packed panels. Its memory is reused, so each worker has its
// own.
//
// Every element of a product is one chain of fused multiply-adds over k in rising order,
//
//	c <- fma(alpha a_ik, b_kj, c), starting from beta c_ij (0 when beta is 0),
//
// whatever the tile, the blocking and the kernel: the bits depend on the operands alone.
type Multiplier struct {
	kernel Kernel
	a, b   []float64 // panels
	edge   [tileRows * tileCols]float64

	strip, rows []float64 // of InvertTransposed
	order       []int
}

// NewMultiplier returns a multiplier that uses the kernel.
func NewMultiplier(k Kernel) *Multiplier { return &Multiplier{kernel: k} }

// Kernel returns the kernel in use.
func (m *Multiplier) Kernel() Kernel { return m.kernel }

// Gemm computes C = alpha op(A) op(B) + beta C; op is the identity or the transpose. C must not
// overlap A or B. It panics, like blas64.Gemm, when shapes do not fit.
func (m *Multiplier) Gemm(tA, tB blas.Transpose, alpha float64, a, b blas64.General, beta float64, c blas64.General) {
	rows, depth := extent(tA, a)
	inner, cols := extent(tB, b)
	if rows != c.Rows || cols != c.Cols || depth != inner {
		panic(fmt.Sprintf("simd: product of %d x %d and %d x %d into %d x %d",
			rows, depth, inner, cols, c.Rows, c.Cols))
	}
	m.multiply(tA, tB, alpha, a, b, beta, c, depth, false)
}

// Gram computes the symmetric C = alpha A Aᵀ + beta C, or alpha AᵀA + beta C when t is blas.Trans:
// half of it, then mirrored. The bits are those of the full product when C is symmetric and alpha
// is ±1 (a product's factors commute).
func (m *Multiplier) Gram(t blas.Transpose, alpha float64, a blas64.General, beta float64, c blas64.General) {
	other := blas.Trans
	if t != blas.NoTrans {
		other = blas.NoTrans
	}
	m.Symmetric(t, other, alpha, a, a, beta, c)
}

// Symmetric is Gemm for a product that is known to be symmetric, such as that of a matrix with its
// transpose or of two polynomials in one symmetric matrix: the tiles that meet the upper triangle
// are computed, then mirrored. C must be square.
func (m *Multiplier) Symmetric(
	tA, tB blas.Transpose, alpha float64, a, b blas64.General, beta float64, c blas64.General,
) {
	rows, depth := extent(tA, a)
	inner, cols := extent(tB, b)
	if rows != c.Rows || cols != c.Cols || depth != inner || rows != cols {
		panic(fmt.Sprintf("simd: symmetric product of %d x %d and %d x %d into %d x %d",
			rows, depth, inner, cols, c.Rows, c.Cols))
	}
	m.multiply(tA, tB, alpha, a, b, beta, c, depth, true)
	mirror(m.kernel, c)
}

func extent(t blas.Transpose, a blas64.General) (rows, cols int) {
	if t == blas.NoTrans {
		return a.Rows, a.Cols
	}
	return a.Cols, a.Rows
}

func (m *Multiplier) multiply(
	tA, tB blas.Transpose, alpha float64, a, b blas64.General, beta float64, c blas64.General, depth int, upper bool,
) {
	if c.Rows == 0 || c.Cols == 0 {
		return
	}
	for _, g := range [...]blas64.General{a, b, c} {
		if g.Stride < g.Cols || g.Rows > 0 && len(g.Data) < (g.Rows-1)*g.Stride+g.Cols {
			panic(fmt.Sprintf("simd: %d numbers with stride %d for a matrix of %d x %d",
				len(g.Data), g.Stride, g.Rows, g.Cols))
		}
	}
	if depth == 0 || beta != 0 && beta != 1 {
		for i := range c.Rows {
			scaleOrClear(m.kernel, beta, c.Data[i*c.Stride:i*c.Stride+c.Cols])
		}
	}
	// Equal blocks: a short last one would cost as much packing as a long one, and have as much of
	// B fetched.
	blocks := (depth + blockDepth - 1) / blockDepth
	height := panelled((c.Rows-1)/((c.Rows+blockRows-1)/blockRows)+1, tileRows)
	for j0 := 0; j0 < c.Cols; j0 += blockCols {
		for p := range blocks {
			w := window{k0: depth * p / blocks, k1: depth * (p + 1) / blocks, j0: j0, nc: min(blockCols, c.Cols-j0)}
			m.packB(tB, b, w)
			for w.i0 = 0; w.i0 < c.Rows; w.i0 += height {
				if upper && j0+w.nc <= w.i0 {
					break
				}
				w.mc = min(height, c.Rows-w.i0)
				m.packA(tA, alpha, a, w)
				m.block(tA, tB, alpha, a, b, c, w, p > 0 || beta != 0, upper)
			}
		}
	}
}

// window is a block of the product: rows i0 to i0+mc and columns j0 to j0+nc of C, over k0 to k1.
type window struct{ i0, mc, j0, nc, k0, k1 int }

// block multiplies A's and B's parts of the window into C's, one panel of B after the other.
func (m *Multiplier) block(tA, tB blas.Transpose, alpha float64, a, b, c blas64.General, w window, add, upper bool) {
	depth := w.k1 - w.k0
	x, next := packed(m.a, tileRows), 8*tileRows*depth
	if inPlaceA(tA, alpha, a) && w.mc >= tileRows {
		if tA == blas.NoTrans {
			x, next = operand{unsafe.Pointer(&a.Data[w.i0*a.Stride+w.k0]), 8 * a.Stride, 8}, 8*tileRows*a.Stride
		} else {
			x, next = operand{unsafe.Pointer(&a.Data[w.k0*a.Stride+w.i0]), 8, 8 * a.Stride}, 8*tileRows
		}
	}
	directB := inPlaceB(tB, b)
	for j := 0; j < w.nc; j += tileCols {
		y := packed(m.b[j*depth:], tileCols)
		if directB && j+tileCols <= w.nc {
			y = operand{at: unsafe.Pointer(&b.Data[w.k0*b.Stride+w.j0+j]), step: 8 * b.Stride}
		}
		end, full := w.mc, 0
		if upper {
			end = min(end, w.j0+j+tileCols-w.i0) // what follows is below the diagonal
		}
		if j+tileCols <= w.nc {
			full = min(panelled(end, tileRows), w.mc/tileRows*tileRows)
		}
		if at := c.Data[w.i0*c.Stride+w.j0+j:]; full > 0 {
			_ = at[(full-1)*c.Stride+tileCols-1]
			to, ahead := unsafe.Pointer(&at[0]), m.ahead(depth, j, w)
			tiles(m.kernel, full/tileRows, depth, x, next, y, to, 8*c.Stride, add, ahead)
		}
		for i := full; i < end; i += tileRows {
			at, rows := c.Data[(w.i0+i)*c.Stride+w.j0+j:], packed(m.a[i*depth:], tileRows)
			if i+tileRows <= w.mc {
				rows = operand{unsafe.Add(x.at, i/tileRows*next), x.lane, x.step}
			}
			m.edgeTile(depth, rows, y, at, c.Stride, min(tileRows, w.mc-i), min(tileCols, w.nc-j), add)
		}
	}
}

// ahead is the panel of B after the one at j, which the tiles of this one prefetch into the
// second-level cache; nil where all panels stay there.
func (m *Multiplier) ahead(depth, j int, w window) unsafe.Pointer {
	if w.nc*depth < farAway || j+tileCols >= w.nc {
		return nil
	}
	return unsafe.Pointer(&m.b[(j+tileCols)*depth])
}

// edgeTile is a tile at the edge of C: only some of its rows and columns are stored.
func (m *Multiplier) edgeTile(depth int, x, y operand, c []float64, stride, rows, cols int, add bool) {
	for r := 0; r < rows && add; r++ {
		copy(m.edge[r*tileCols:][:cols], c[r*stride:])
	}
	tiles(m.kernel, 1, depth, x, 0, y, unsafe.Pointer(&m.edge[0]), 8*tileCols, add, nil)
	for r := range rows {
		copy(c[r*stride:][:cols], m.edge[r*tileCols:])
	}
}

// packA lays alpha op(A) in the window out as panels of tileRows rows: all of them, or those that
// cannot be read in place.
func (m *Multiplier) packA(t blas.Transpose, alpha float64, a blas64.General, w window) {
	depth, skip := w.k1-w.k0, 0
	if inPlaceA(t, alpha, a) {
		skip = w.mc / tileRows * tileRows
	}
	m.a = grow(m.a, panelled(w.mc, tileRows)*depth)
	p := packing{m.kernel, m.a, tileRows, depth, a.Stride}
	if t == blas.NoTrans {
		p.columns(a.Data[w.i0*a.Stride+w.k0:], skip, w.mc)
	} else {
		p.rows(a.Data[w.k0*a.Stride+w.i0:], skip, w.mc)
	}
	if alpha != 1 {
		m.kernel.Scale(alpha, m.a)
	}
}

// packB lays op(B) in the window out as panels of tileCols columns: all of them, or those that
// cannot be read in place.
func (m *Multiplier) packB(t blas.Transpose, b blas64.General, w window) {
	depth, skip := w.k1-w.k0, 0
	if inPlaceB(t, b) {
		skip = w.nc / tileCols * tileCols
	}
	m.b = grow(m.b, panelled(w.nc, tileCols)*depth)
	p := packing{m.kernel, m.b, tileCols, depth, b.Stride}
	if t == blas.NoTrans {
		p.rows(b.Data[w.k0*b.Stride+w.j0:], skip, w.nc)
	} else {
		p.columns(b.Data[w.j0*b.Stride+w.k0:], skip, w.nc)
	}
}

func scaleOrClear(k Kernel, beta float64, x []float64) {
	if beta == 0 {
		clear(x)
		return
	}
	k.Scale(beta, x)
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
