package simd

import "unsafe"

// packing stores vectors of length depth side by side in panels of `lanes` vectors, padded with
// zeros: element k of vector v is panels[(v - v mod lanes)·depth + k·lanes + v mod lanes].
type packing struct {
	kernel       Kernel
	panels       []float64
	lanes, depth int // lanes is a multiple of 8
	stride       int // of the source
}

// panelled is n rounded up to whole panels.
func panelled(n, lanes int) int { return (n + lanes - 1) / lanes * lanes }

// rows packs vectors from to n whose element k of vector v is src[k·stride+v]. A few k at a time go
// through all panels, so that src is read as it lies in memory.
func (p packing) rows(src []float64, from, n int) {
	const group = 8
	full := n / p.lanes * p.lanes
	for k0 := 0; k0 < p.depth && from < full; k0 += group {
		for v := from; v < full; v += p.lanes {
			rows := min(group, p.depth-k0)
			to, at := p.panels[v*p.depth+k0*p.lanes:], src[k0*p.stride+v:]
			_, _ = to[rows*p.lanes-1], at[(rows-1)*p.stride+p.lanes-1]
			copyRows(p.kernel, &to[0], p.lanes, &at[0], p.stride, p.lanes, rows)
		}
	}
	if v := max(from, full); v < n {
		panel := p.panels[v*p.depth:][:p.lanes*p.depth]
		clear(panel)
		for k := range p.depth {
			copy(panel[k*p.lanes:], src[k*p.stride+v:][:n-v])
		}
	}
}

// columns packs vectors from to n whose element k of vector v is src[v·stride+k].
func (p packing) columns(src []float64, from, n int) {
	for v0 := from; v0 < n; v0 += p.lanes {
		panel := p.panels[v0*p.depth:][:p.lanes*p.depth]
		m := min(p.lanes, n-v0)
		if m < p.lanes {
			clear(panel)
		}
		transposeInto(p.kernel, panel, p.lanes, src[v0*p.stride:], p.stride, m, p.depth)
	}
}

// copyRows64 copies rows of columns numbers, a multiple of eight; strides are in numbers.
func copyRows64(dst *float64, dstStride int, src *float64, srcStride, columns, rows int) {
	for r := range rows {
		to, at := unsafe.Add(unsafe.Pointer(dst), 8*r*dstStride), unsafe.Add(unsafe.Pointer(src), 8*r*srcStride)
		for o := 0; o < 8*columns; o += 64 {
			*(*[8]float64)(unsafe.Add(to, o)) = *(*[8]float64)(unsafe.Add(at, o))
		}
	}
}
