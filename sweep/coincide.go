package sweep

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/sweep/draw"
)

// pointKey is a hash of what a resolved point computes. Points of equal PointID have equal keys,
// others different ones, but for 1 pair in 2^100.
type pointKey [2]uint64

func keyOf(a Assignment) pointKey {
	k := pointKey{1, 2}
	for id, v := range a[:NumParameters] { // the solver does not know variables
		if v.IsNull() {
			continue
		}
		k.add(uint64(id)<<8 | uint64(v.kind))
		switch v.kind {
		case KindInt:
			k.add(uint64(v.i))
		case KindText:
			word := uint64(0)
			for i := range len(v.text) {
				if word = word<<8 | uint64(v.text[i]); i%8 == 7 {
					k.add(word)
				}
			}
			k.add(word)
		case KindList, KindPairs:
			for _, x := range v.list {
				k.add(math.Float64bits(x))
			}
		default:
			k.add(math.Float64bits(v.num))
		}
	}
	return k
}

func (k *pointKey) add(word uint64) {
	k[0] = draw.Mix(k[0] ^ word)
	k[1] = draw.Mix(k[1] + word*0x9e3779b97f4a7c15)
}

// keyedPoint is a point of the check.
type keyedPoint struct {
	key   pointKey
	index int64
}

// coincidenceKey says why points coincide: two blocks have them both, or a factor of a block has
// entries that make no difference. For zip and points it names the entries.
type coincidenceKey struct {
	block, other  int // equal for a factor
	factor        int
	first, second int64
}

// coincidence is a number of points that are the same point as an earlier one, for one reason.
type coincidence struct {
	coincidenceKey
	points   int64
	examples []int64 // indices of some of them
	stride   int64   // every how many points there is an example
}

const maxExamples = 1024

// coincidences accumulates the points of a check that are the same point as another.
type coincidences struct {
	spec  *Spec
	every bool         // all points are looked at, not a sample
	keys  []keyedPoint // of all points
	found map[coincidenceKey]*coincidence
	order []*coincidence
	other *walker // to look at other entries of a sampled point's factors
	point Point
}

// look takes the walker's point, which can be solved.
func (c *coincidences) look(w *walker, p *Point) {
	key := keyOf(p.Params)
	if c.every {
		c.keys = append(c.keys, keyedPoint{key, w.index})
		return
	}
	// Of a sampled point, the first entry of each factor in turn is looked at.
	stride := c.spec.replicates
	for k := len(w.digits) - 1; k >= 0; k-- {
		if digit := w.digits[k]; digit > 0 && !isRows(w.block.factors[k].factor) &&
			c.keyAt(w.index-digit*stride) == key {
			c.add(w.next-1, k, 0, digit, w.index)
		}
		stride *= w.block.factors[k].n
	}
}

// isRows reports whether a factor is a zip or points, whose entries are rows.
func isRows(f factor) bool {
	switch f.(type) {
	case zipped, explicit:
		return true
	}
	return false
}

// keyAt is the key of the point of an index; 0 where it is not part of the sweep or has faults.
func (c *coincidences) keyAt(index int64) pointKey {
	if c.other == nil {
		c.other = c.spec.walk(index)
	}
	c.other.seek(index)
	if !c.other.point(&c.point) || len(c.other.faults) > 0 {
		return pointKey{}
	}
	return keyOf(c.point.Params)
}

// finish finds the coincidences among the points looked at.
func (c *coincidences) finish() {
	if !c.every {
		c.lookAtRows()
	}
	slices.SortFunc(c.keys, func(x, y keyedPoint) int {
		if x.key[0] != y.key[0] {
			return cmp.Compare(x.key[0], y.key[0])
		}
		return cmp.Or(cmp.Compare(x.key[1], y.key[1]), cmp.Compare(x.index, y.index))
	})
	for len(c.keys) > 0 {
		n := 1
		for n < len(c.keys) && c.keys[n].key == c.keys[0].key {
			n++
		}
		group := c.keys[:n]
		c.keys = c.keys[n:]
		first := group[0].index // of the same block where there is one
		for _, p := range group[1:] {
			if c.spec.block(p.index) != c.spec.block(first) {
				c.record(coincidenceKey{block: c.spec.block(first), other: c.spec.block(p.index)}, p.index)
				first = p.index
				continue
			}
			c.compare(first, p.index)
		}
	}
	slices.SortStableFunc(c.order, func(x, y *coincidence) int {
		return cmp.Or(cmp.Compare(x.block, y.block), cmp.Compare(x.other, y.other), cmp.Compare(x.factor, y.factor),
			cmp.Compare(x.first, y.first), cmp.Compare(x.second, y.second))
	})
}

// lookAtRows takes each row of zip and points once, with the first entries of the other factors.
func (c *coincidences) lookAtRows() {
	for i, b := range c.spec.blocks {
		stride := c.spec.replicates
		for k := len(b.factors) - 1; k >= 0; k-- {
			first := map[pointKey]int64{}
			for row := int64(0); isRows(b.factors[k].factor) && row < min(b.factors[k].n, sampledPoints); row++ {
				key := c.keyAt(b.first + row*stride)
				if at, twice := first[key]; !twice {
					first[key] = row
				} else if key != (pointKey{}) {
					c.add(i, k, at, row, b.first+row*stride)
				}
			}
			stride *= b.factors[k].n
		}
	}
}

// compare records each factor on which two equal points of a block differ. Where none does, they
// are replicates.
func (c *coincidences) compare(first, second int64) {
	i := c.spec.block(first)
	b := c.spec.blocks[i]
	x, y := (first-b.first)/c.spec.replicates, (second-b.first)/c.spec.replicates
	for k := len(b.factors) - 1; k >= 0; k-- {
		n := b.factors[k].n
		if x%n != y%n {
			c.add(i, k, x%n, y%n, second)
		}
		x, y = x/n, y/n
	}
}

// add records that entries first and second of a factor give the same point.
func (c *coincidences) add(block, factor int, first, second, index int64) {
	key := coincidenceKey{block: block, other: block, factor: factor}
	f := c.spec.blocks[block].factors[factor].factor
	if x, ok := f.(*axis); ok {
		if _, repeated := x.repeats[second]; repeated {
			return // said where the file is read
		}
	}
	if s, ok := f.(*sampled); ok && s.meant(first, second, len(c.spec.table)) {
		return
	}
	if isRows(f) {
		key.first, key.second = min(first, second), max(first, second)
	}
	c.record(key, index)
}

func (c *coincidences) record(key coincidenceKey, index int64) {
	o := c.found[key]
	if o == nil {
		if len(c.order) == 10*maxMistakes {
			return
		}
		o = &coincidence{coincidenceKey: key, stride: 1}
		c.found[key], c.order = o, append(c.order, o)
	}
	if o.points%o.stride == 0 {
		if o.examples = append(o.examples, index); len(o.examples) == maxExamples {
			for i := range maxExamples / 2 {
				o.examples[i] = o.examples[2*i]
			}
			o.examples, o.stride = o.examples[:maxExamples/2], 2*o.stride
		}
	}
	o.points++
}

// warnCoincidences warns of the points that coincide, one line for each reason. looked is the
// number of points that the check looked at. It returns the parameters of axes that do not apply
// somewhere.
func (r *reader) warnCoincidences(c *coincidences, looked int64) (idle idSet) {
	for _, o := range c.order {
		count := fmt.Sprintf("%d points are the same point as another", o.points)
		switch {
		case !c.every:
			all := float64(o.points) / float64(looked) * float64(c.spec.size)
			digits := math.Pow(10, max(0, math.Floor(math.Log10(all))-1)) // two are estimated
			count = fmt.Sprintf("about %.0f points are the same point as another", math.Round(all/digits)*digits)
		case o.points == 1:
			count = "1 point is the same point as another"
		}
		if o.block != o.other {
			r.note("union blocks %d and %d: %s", o.block+1, o.other+1, count)
			continue
		}
		f := c.spec.blocks[o.block].factors[o.factor].factor
		idle = idle.union(r.warnFactor(c, o, f, count))
	}
	return idle
}

// warnFactor warns of entries of a factor that make no difference. It returns the parameter that
// does not apply, if that is why.
func (r *reader) warnFactor(c *coincidences, o *coincidence, f factor, count string) (idle idSet) {
	switch f := f.(type) {
	case zipped:
		r.note("zip rows %d and %d give the same point%s", o.first+1, o.second+1, times(c, o))
	case explicit:
		r.note("points rows %d and %d give the same point%s", o.first+1, o.second+1, times(c, o))
	case *sampled:
		r.note("sample: %s", count)
	case *axis:
		name := r.table[f.id].Name
		if f.id.isVariable() && !c.spec.blocks[o.block].derivesFrom(f.id) {
			r.note("variable %s is read by no derived parameter: %s", name, count)
			return idle
		}
		if where := c.inapplicable(o, f.id); where != "" {
			r.note("%s does not apply to %s: %s", name, where, count)
			return idle.with(f.id)
		}
		r.note("axis of %s: %s", name, count)
	}
	return idle
}

// times says how many points a pair of rows gives twice, if it is more than one.
func times(c *coincidences, o *coincidence) string {
	if !c.every || o.points == 1 {
		return ""
	}
	return fmt.Sprintf(", %d times", o.points)
}

// inapplicable says at which values of other parameters the parameter does not apply to the points
// of a coincidence: "optimizer gd, adam"; "" where it applies to one of them.
func (c *coincidences) inapplicable(o *coincidence, id ParameterID) string {
	words := map[string][]string{}
	var heads []string
	slices.Sort(o.examples)
	for _, index := range o.examples {
		if c.keyAt(index) == (pointKey{}) || !c.point.Params[id].IsNull() {
			return ""
		}
		head, word := c.spec.table.excuse(id, c.point.Params)
		if words[head] == nil {
			heads = append(heads, head)
		}
		if !slices.Contains(words[head], word) {
			words[head] = append(words[head], word)
		}
	}
	parts := make([]string, len(heads))
	for i, head := range heads {
		parts[i] = head + " " + strings.Join(words[head], ", ")
	}
	return strings.Join(parts, " and ")
}

// excuse says why a parameter does not apply: the values of the parameters that its conditions
// name, the last value apart.
func (t table) excuse(id ParameterID, a Assignment) (head, word string) {
	for i, c := range t[id].When {
		h, w := t[c.ID].Name, a[c.ID].text
		if a[c.ID].IsNull() {
			h, w = t.excuse(c.ID, a)
		}
		if i > 0 {
			h = head + " " + word + " with " + h
		}
		head, word = h, w
	}
	return head, word
}
