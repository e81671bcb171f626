package sweep

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Bounds on the enumeration.
const (
	// maxIndices is the most indices that a sweep may have.
	maxIndices = 1 << 40
	maxBlocks  = 1000
	// maxRuns bounds the pass over points of different cost that cuts a sweep into shards.
	maxRuns = 10_000_000
)

// factor is one dimension of a block: parameters that vary together.
type factor interface {
	size() int64
	// place is the parameter whose place in the table orders the factor among the others.
	place() ParameterID
	// sets are the parameters that any of its entries sets, sometimes those that not all of them
	// set.
	sets() idSet
	sometimes() idSet
	// defaults are the parameters that some entry of an axis leaves to their default, whatever
	// fixed says.
	defaults() idSet
	assign(i int64, a Assignment)
	// at is the place in the file where entry i sets id; 0 if it does not.
	at(i int64, id ParameterID) position
}

// placed is a factor with its sets worked out.
type placed struct {
	factor
	n               int64
	sets, sometimes idSet
	defaults        idSet
	// open are the parameters that some entry leaves to their default, or sets to auto.
	open idSet
}

// anywhere is the place of the first entry that sets id.
func (p placed) anywhere(id ParameterID) position {
	for i := range p.n {
		if at := p.at(i, id); at != (position{}) {
			return at
		}
	}
	return position{}
}

// place computes the sets of a factor; size is the number of parameters of the table.
func place(f factor, size int) placed {
	p := placed{factor: f, n: f.size(), sets: f.sets(), sometimes: f.sometimes(), defaults: f.defaults()}
	p.open = p.sometimes
	auto := p.sets.common(setOf(LearningRate, Representation))
	a := make(Assignment, size)
	for i := int64(0); !auto.empty() && i < min(p.n, maxMarks); i++ { // a longer factor is no list, and has no words
		clear(a)
		f.assign(i, a)
		for id := range auto.all() {
			if a[id].text == "auto" {
				p.open = p.open.with(id)
			}
		}
	}
	return p
}

// derivation computes one parameter from others.
type derivation struct {
	id ParameterID
	*expression
}

// block is a product of factors: index = ((i_0·n_1 + i_1)·n_2 + ...)·replicates + replicate, after
// the indices of the blocks before it. It includes the settings of the unions around it.
type block struct {
	pos     position
	named   idSet // parameters that some key names, in the block or around it; if the reader is naming
	first   int64 // its first index
	size    int64
	table   table
	base    Assignment // fixed parameters
	fixedAt []position // where they are fixed
	fixed   idSet
	factors []placed     // in the order of enumeration
	derive  []derivation // each after what it reads
	derived idSet
	where   []*expression
}

// newBlock is a block that sets nothing.
func newBlock(t table, pos position) *block {
	return &block{pos: pos, table: t, base: make(Assignment, len(t)), fixedAt: make([]position, len(t))}
}

// clone returns a copy to which a block of a union can be added.
func (b *block) clone() *block {
	c := *b
	c.base, c.fixedAt = slices.Clone(b.base), slices.Clone(b.fixedAt)
	c.factors, c.derive, c.where = slices.Clone(b.factors), slices.Clone(b.derive), slices.Clone(b.where)
	return &c
}

// sets are the parameters that some point of the block is given a value for.
func (b *block) sets() idSet {
	set := b.fixed.union(b.derived)
	for _, f := range b.factors {
		set = set.union(f.sets)
	}
	return set
}

// varied returns the place where a parameter is set by a factor or derive, if it is.
func (b *block) varied(id ParameterID) (position, bool) {
	for _, d := range b.derive {
		if d.id == id {
			return d.pos, true
		}
	}
	for _, f := range b.factors {
		if f.sets.has(id) {
			return f.anywhere(id), true
		}
	}
	return position{}, false
}

// given is the first place where the sweep sets a parameter.
func (s *Spec) given(id ParameterID) position {
	for _, b := range s.blocks {
		if at, varies := b.varied(id); varies {
			return at
		}
		if b.fixed.has(id) {
			return b.fixedAt[id]
		}
	}
	return position{line: 1, column: 1}
}

// finish sorts the factors and derivations, and counts the indices.
func (b *block) finish(replicates int64) (mistake string, at position) {
	slices.SortStableFunc(b.factors, func(x, y placed) int { return cmp.Compare(x.place(), y.place()) })
	if cost := b.cost(); cost > maxCost {
		return fmt.Sprintf(
			"expressions: got up to %d operations a point, want at most %d; shorten their loops",
			cost,
			maxCost,
		), b.pos
	}
	b.size = replicates
	for _, f := range b.factors {
		high, low := bits.Mul64(uint64(b.size), uint64(f.n))
		if high != 0 || low > maxIndices {
			return fmt.Sprintf(
				"sweep: got %s indices, want at most 2^40; shorten the axes, or use sample",
				b.sizes(replicates),
			), b.pos
		}
		b.size = int64(low)
	}
	return b.order()
}

// cost bounds the operations that the expressions of a point take.
func (b *block) cost() (cost int64) {
	for _, d := range b.derive {
		cost += d.cost
	}
	for _, x := range b.where {
		cost += x.cost
	}
	return cost
}

// sizes writes the product of the block's sizes.
func (b *block) sizes(replicates int64) string {
	var parts []string
	for _, f := range b.factors {
		parts = append(parts, fmt.Sprintf("%d %s", f.n, b.table[f.place()].Name))
	}
	if replicates > 1 {
		parts = append(parts, fmt.Sprintf("%d replicates", replicates))
	}
	return strings.Join(parts, " x ")
}

// order sorts the derivations so that each comes after those it reads, or reports a cycle.
func (b *block) order() (mistake string, at position) {
	slices.SortFunc(b.derive, func(x, y derivation) int { return cmp.Compare(x.id, y.id) })
	byID := map[ParameterID]derivation{}
	for _, d := range b.derive {
		byID[d.id] = d
	}
	var sorted []derivation
	var path []ParameterID
	var visit func(id ParameterID) bool
	var done idSet
	visit = func(id ParameterID) bool {
		if start := slices.Index(path, id); start >= 0 {
			var names []string
			for _, step := range append(path[start:], id) {
				names = append(names, b.table[step].Name)
			}
			mistake = "derive: cycle of references " + strings.Join(names, " -> ")
			return false
		}
		if done.has(id) {
			return true
		}
		path = append(path, id)
		d, derived := byID[id]
		var reads idSet
		switch {
		case derived:
			reads = d.refs.union(d.reads)
		case b.open(id):
			reads = defaultReads(id)
		}
		for ref := range reads.all() {
			if !visit(ref) {
				return false
			}
		}
		path = path[:len(path)-1]
		done = done.with(id)
		if derived {
			sorted = append(sorted, d)
		}
		return true
	}
	for _, d := range b.derive {
		if !visit(d.id) {
			return mistake, d.pos
		}
	}
	b.derive = sorted
	return "", position{}
}

// open reports whether some point leaves id to its default or sets it to auto.
func (b *block) open(id ParameterID) bool {
	if b.derived.has(id) {
		return false
	}
	for _, f := range b.factors {
		if f.defaults.has(id) {
			return true
		}
		if f.sets.has(id) && !f.open.has(id) {
			return false
		}
	}
	return !b.fixed.has(id) || b.base[id].text == "auto"
}

// defaultReads are the parameters on which the default of id, or its value for auto, depends:
// earlier words, and for the learning rate all parameters of the step-size limit.
func defaultReads(id ParameterID) (reads idSet) {
	if id.isVariable() {
		return nil // it has no default
	}
	switch id {
	case LearningRate, Representation:
		for other := Model; other <= Init; other++ {
			reads = reads.with(other)
		}
		return reads.with(Momentum).without(Steps).without(Samples).without(LearningRate).without(Representation)
	case Width:
		return reads.with(Dimension)
	}
	for _, word := range []ParameterID{Model, Optimizer, Covariance, Teacher, Init, Schedule, Orthogonalizer} {
		if word < id {
			reads = reads.with(word)
		}
	}
	return reads
}

// costRun is the number of consecutive indices, from any multiple of it on, that share all
// parameters on which the static cost depends.
func (b *block) costRun(replicates int64) int64 {
	var relevant idSet
	for id := range b.table.ids() {
		if costRelevant(id) {
			relevant = relevant.with(id)
		}
	}
	for i := len(b.derive) - 1; i >= 0; i-- { // in the order of references, last first
		d := b.derive[i]
		if !relevant.has(d.id) {
			continue
		}
		relevant = relevant.union(b.reads(d))
	}
	if replicates > 1 && relevant.has(Seed) {
		return 1
	}
	length := replicates
	for i := len(b.factors) - 1; i >= 0; i-- {
		if !b.factors[i].sets.common(relevant).empty() {
			break
		}
		length *= b.factors[i].n
	}
	return length
}

// reads are the parameters that a derivation depends on: those that it names, those of its
// quantities, and those of the defaults of these.
func (b *block) reads(d derivation) idSet {
	reads := d.refs.union(d.reads)
	for id := range reads.all() {
		if b.open(id) {
			reads = reads.union(defaultReads(id))
		}
	}
	return reads
}

// derivesFrom reports whether a derived parameter reads id.
func (b *block) derivesFrom(id ParameterID) bool {
	for _, d := range b.derive {
		if d.refs.has(id) || d.reads.has(id) {
			return true
		}
	}
	return false
}
