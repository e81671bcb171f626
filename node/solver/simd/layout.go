package simd

import (
	"math"
	"unsafe"
)

// layout says where the numbers of points are: a row of eight lanes holds either one eigenspace of
// eight points, or, across, eight eigenspaces of one point. Both give the same bits: lane j of the
// eight holds the eigenspaces ≡ j mod 8, whose partial sum a sum is made of.
type layout struct {
	groups int
	across bool
	span   int // cells of a row of points: one for each eigenspace, or for eight of them

	// Parts of a vector's cells, for kernels that treat each cell alone, and for sums.
	cellsOf, sumsOf []strand
}

// strand is a sequence of cells of one vector. A kernel adds up its numbers in this order.
type strand struct {
	cells   uintptr // offset of the first one
	n       int
	part    uintptr // offset of its partial sums in a row of parts
	more    bool    // continues the partial sums
	teacher bool    // begins with the teacher's eigenspace
}

// blockCells bounds the strands across eigenspaces of kernels that are narrower than a row: they
// read a block once for each of their vectors in a row, and the block stays in the first-level
// cache meanwhile.
const blockCells = 32

// newLayout chooses the layout for about so many points.
func newLayout(k Kernel, groups, points int, three bool) layout {
	l := layout{groups: groups, span: groups}
	if !three && groups >= acrossGroups(points) {
		l.across, l.span = true, (groups+7)/8
		l.cellsOf = l.acrossStrands(k)
		l.sumsOf = l.cellsOf
		return l
	}
	l.cellsOf = []strand{{n: groups, teacher: true}}
	for j := range min(8, groups) {
		s := strand{cells: uintptr(l.place(j)) * cellSize, n: (groups - j + 7) / 8, teacher: j == 0}
		s.part = uintptr(j) * rowSize
		l.sumsOf = append(l.sumsOf, s)
	}
	return l
}

// acrossGroups is the number of eigenspaces from which steps across them are faster for so many
// points: those of a few lanes cost as much as those of eight, and those of many eigenspaces leave
// the caches.
func acrossGroups(points int) int {
	n := min(points, 8)
	return max(8, 7*n*n)
}

func (l *layout) acrossStrands(k Kernel) (all []strand) {
	block := blockCells
	if width(k) == 8 {
		block = l.span
	}
	for first := 0; first < l.span; first += block {
		for lane := uintptr(0); lane < 8; lane += width(k) {
			all = append(all, strand{
				cells: uintptr(first)*cellSize + 8*lane, n: min(block, l.span-first),
				part: 8 * lane, more: first > 0, teacher: first == 0 && lane == 0,
			})
		}
	}
	return all
}

// place is the cell of a group among those of its row of points. Of one eigenspace each, those ≡ 0
// mod 8 come first, then those ≡ 1, so that strided sums read on and on.
func (l *layout) place(group int) int {
	if l.across {
		return group / 8
	}
	j := group % 8
	return j*(l.groups/8) + min(j, l.groups%8) + group/8
}

// shape lays out enough vectors to hide the latency of one step behind those of other points,
// within the first-level cache.
func (l *Lanes) shape(groups, points int) {
	l.layout = newLayout(l.kernel, groups, points, three(l.law, groups))
	rows, lanes := max(1, min(MaxLanes/8, 24/groups, (points+7)/8)), 8
	switch {
	case l.across:
		rows, lanes = max(1, min(MaxLanes/8, 24/l.span, points)), 1
	case l.three():
		rows += rows % 2 // the vectors of three groups go in pairs
	}
	// One more of each than is used: a kernel's pointer to half a row, or to a number in one, has
	// the type of a whole. Of cells one more again, since kernels step beyond the last one.
	l.heads = grow(l.heads, rows+1)[:rows]
	l.cells = grow(l.cells, rows*l.span+2)[:rows*l.span]
	l.base = grow(l.base, lanes*rows)
	l.rates = grow(l.rates, scheduleSteps*rows+1)[:scheduleSteps*rows]
	l.powers = grow(l.powers, scheduleSteps*rows+1)[:scheduleSteps*rows]
	l.vectors = l.vectors[:0]
	for r := range l.heads {
		for lane := uintptr(0); lane < uintptr(lanes); lane += width(l.kernel) {
			from := func(p unsafe.Pointer) unsafe.Pointer { return unsafe.Add(p, 8*lane) }
			h, c := &l.heads[r], &l.cells[r*l.span]
			l.vectors = append(l.vectors, vector{from(unsafe.Pointer(h)), from(unsafe.Pointer(c)), h, r, lane})
		}
	}
	clear(l.heads)
	clear(l.cells)
	clear(l.rates)
	clear(l.powers)
	l.now, l.active = 0, 0
	l.quintics = l.quintics[:0]
	for _, p := range l.law.Quintics {
		l.quintics = append(l.quintics, [3]row{broadcast(p[0]), broadcast(p[1]), broadcast(p[2])})
	}
}

// lane is the lane of a row's i-th point.
func (l *Lanes) lane(row, i int) int {
	if l.across {
		return row
	}
	return 8*row + i
}

// head is the head that has the lane's point, and where in its rows.
func (l *Lanes) head(lane int) (h *head, i int) {
	if l.across {
		return &l.heads[lane], 0
	}
	return &l.heads[lane/8], lane % 8
}

// cell is the cell that has an eigenspace of the lane's point, and where in its rows.
func (l *Lanes) cell(lane, group int) (c *cell, i int) {
	if l.across {
		return &l.cells[lane*l.span+group/8], group % 8
	}
	return &l.cells[lane/8*l.span+l.place(group)], lane % 8
}

// iterate is the coefficient of an eigenspace, back iterates ago.
func (l *Lanes) iterate(lane, group, back int) *float64 {
	c, i := l.cell(lane, group)
	return &c.w[(l.slot()+back)&1][i]
}

// slot is the index in cell.w of this step's iterate. With three groups it is always 0, and the old
// iterate is copied; with more groups, whose copies would not fit into the first-level cache, the
// two slots alternate.
func (l *Lanes) slot() int {
	if l.three() {
		return 0
	}
	return l.now & 1
}

// forget clears the optimizer's memory of a point, and across also the lanes that no eigenspace
// fills: of multiplicity 0, they never move and add 0 to sums.
func (l *Lanes) forget(lane int) {
	if l.across {
		clear(l.cells[lane*l.span:][:l.span])
		return
	}
	for g := range l.groups {
		c, i := l.cell(lane, g)
		c.m[i], c.v[i] = 0, 0
	}
}

// remember starts cell.v of the lane's point.
func (l *Lanes) remember(lane int, v float64) {
	if l.across {
		for r := range l.cells[lane*l.span:][:l.span] {
			l.cells[lane*l.span+r].v = broadcast(v)
		}
		return
	}
	for g := range l.groups {
		c, i := l.cell(lane, g)
		c.v[i] = v
	}
}

// headRows is the number of rows of a head before its parts.
const headRows = unsafe.Offsetof(head{}.parts) / rowSize

// spread repeats what a lane's head has in the lanes that are of the same point.
func (l *Lanes) spread(lane int) {
	if !l.across {
		return
	}
	h := &l.heads[lane]
	tau := h.tau[0]
	for rows, r := (*[headRows]row)(unsafe.Pointer(h)), 0; r < len(rows); r++ {
		rows[r] = broadcast(rows[r][0])
	}
	h.tau = row{tau}
}

// tabulate writes the lane's rates from now to the end of the table.
func (l *Lanes) tabulate(lane int) {
	h, i := l.head(lane)
	if math.IsInf(h.next[i], 1) || h.idle == math.MaxUint8 {
		return
	}
	for s := l.now; s < l.now/scheduleSteps*scheduleSteps+scheduleSteps; s++ {
		rate, power := l.host.Rate(lane, s-l.base[lane])
		if l.across {
			at := s%scheduleSteps*len(l.heads) + lane
			l.rates[at], l.powers[at] = broadcast(rate), broadcast(power)
			continue
		}
		at := s%scheduleSteps*len(l.heads) + lane/8
		l.rates[at][i], l.powers[at][i] = rate, power
	}
}
