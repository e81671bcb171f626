package sweep

import (
	"fmt"
	"math"
	"strconv"

	"github.com/phasegrid/phasegrid/sweep/exact"
)

// setting is the value of one parameter and its place in the file.
type setting struct {
	id    ParameterID
	value Value
	pos   position
}

// row is an entry of an axis or of points: the value of the axis first, null where the entry is the
// word default, then the parameters of its own.
type row []setting

// defaultEntry is the entry of an axis that leaves the parameter to its default.
const defaultEntry = "default"

// axisForm says how an axis lists its values.
type axisForm uint8

const (
	listForm  axisForm = iota // the values one by one
	linForm                   // from + (to - from)·i/(num-1)
	logForm                   // from·(to/from)^(i/(num-1))
	rangeForm                 // from + i·step, up to and including to
)

// axis is one parameter's values in order.
type axis struct {
	id   ParameterID
	pos  position // of the key
	form axisForm
	rows []row // of listForm
	// repeats are the entries that are equal to an earlier one.
	repeats map[int64]repeat

	whole          bool // the parameter is an integer
	num            int64
	from, to, step exact.Decimal
	value          func(i int64) Value // entry i of a form other than listForm
}

// size is the number of values.
func (x *axis) size() int64 {
	if x.form == listForm {
		return int64(len(x.rows))
	}
	return x.num
}

func (x *axis) place() ParameterID { return x.id }

// sets are the parameters that any entry sets.
func (x *axis) sets() idSet {
	set := setOf(x.id)
	for _, r := range x.rows {
		set = set.union(r.sets())
	}
	return set
}

// sometimes are the parameters that an entry may leave alone.
func (x *axis) sometimes() idSet { return x.sets().without(x.id) }

func (x *axis) defaults() idSet { return defaultsOf(x.id, x.rows) }

func (x *axis) assign(i int64, a Assignment) {
	if x.form == listForm {
		x.rows[i].assign(a)
		return
	}
	a[x.id] = x.value(i)
}

func (x *axis) at(i int64, id ParameterID) position {
	if x.form == listForm {
		return x.rows[i].at(id)
	}
	return x.pos
}

// progression is the entries of a form other than listForm.
func (x *axis) progression() exact.Progression {
	switch x.form {
	case linForm:
		return exact.Linear(x.from, x.to, x.num)
	case logForm:
		return exact.Logarithmic(x.from, x.to, x.num)
	default:
		return exact.Stepped(x.from, x.step, x.num)
	}
}

// setEntries sets the entries of a form other than listForm, and returns what is wrong with them;
// "" if nothing is.
func (x *axis) setEntries(p *Parameter) string {
	entries := x.progression()
	ends := []int64{0, x.num - 1}
	for _, i := range ends {
		if f := entries.At(i); !p.inRange(f) {
			return p.wrong(exact.FormatFloat(f))
		}
	}
	if !x.whole {
		x.value = func(i int64) Value { return floatValue(entries.At(i)) }
		return ""
	}
	if i, found := exact.FirstFraction(entries, x.num); found {
		f, almost, choose := entries.At(i), "", "num"
		if x.form == rangeForm {
			choose = "from and step"
		}
		if f == math.Trunc(f) {
			almost = "almost "
		}
		return fmt.Sprintf(
			"%s: entry %d is %s%s, want an integer; list the values, or choose %s so that all are integers",
			p.Name,
			i+1,
			almost,
			exact.FormatFloat(f),
			choose,
		)
	}
	for _, i := range ends {
		if n, _ := entries.Exact(i); !n.Num().IsInt64() { // 2^63 is in range as a float
			return p.wrong(n.Num().String())
		}
	}
	x.value = func(i int64) Value { return intValue(exact.WholeEntry(entries, i)) }
	return ""
}

// setFloatEntries sets the entries of a form by the rules of plan version 1: those of
// floating-point arithmetic, with which its result sets were computed. Parse checked these specs
// when they were submitted; no point of them is computed any more.
func (x *axis) setFloatEntries() {
	from, to, step := float(x.from), float(x.to), float(x.step)
	form, last, whole := x.form, x.num-1, x.whole
	x.value = func(i int64) Value {
		f := from
		switch {
		case form == linForm && last > 0:
			f += float64((to - from) * (float64(i) / float64(last)))
		case form == logForm && i > 0 && i == last:
			f = to
		case form == logForm && i > 0:
			f = float64(from * math.Pow(to/from, float64(i)/float64(last)))
		case form == rangeForm:
			f += float64(float64(i) * step)
		}
		if whole {
			return intValue(int64(math.Round(f)))
		}
		return floatValue(f)
	}
}

// floatStepCount is exact.StepCount by the rules of plan version 1: up to round-off.
func (x *axis) floatStepCount() int64 {
	steps := (float(x.to) - float(x.from)) / float(x.step)
	switch {
	case steps < 0:
		return 0
	case steps >= maxIndices:
		return maxIndices + 1
	}
	return int64(steps+1e-9) + 1
}

// float is the float64 nearest to a decimal; 0 for one that is not set.
func float(d exact.Decimal) float64 {
	if d == (exact.Decimal{}) {
		return 0
	}
	f, err := strconv.ParseFloat(d.Text(), 64)
	if err != nil {
		panic(err) // decimals are finite as float64
	}
	return f
}

func (r row) sets() idSet {
	var set idSet
	for _, s := range r {
		set = set.with(s.id)
	}
	return set
}

// defaultsOf is the parameter of an axis if an entry leaves it to its default.
func defaultsOf(id ParameterID, rows []row) (set idSet) {
	for _, r := range rows {
		if r[0].value.IsNull() {
			return set.with(id)
		}
	}
	return set
}

func (r row) assign(a Assignment) {
	for _, s := range r {
		a[s.id] = s.value
	}
}

// at is the place where the row sets id; 0 if it does not.
func (r row) at(id ParameterID) position {
	for _, s := range r {
		if s.id == id {
			return s.pos
		}
	}
	return position{}
}

// zipped are axes of equal length that advance together.
type zipped []*axis

func (z zipped) size() int64 { return z[0].size() }

func (z zipped) place() ParameterID {
	first := z[0].id
	for _, x := range z {
		first = min(first, x.id)
	}
	return first
}

func (z zipped) sets() (set idSet) {
	for _, x := range z {
		set = set.union(x.sets())
	}
	return set
}

func (z zipped) sometimes() (set idSet) {
	for _, x := range z {
		set = set.union(x.sometimes())
	}
	return set
}

func (z zipped) defaults() (set idSet) {
	for _, x := range z {
		set = set.union(x.defaults())
	}
	return set
}

func (z zipped) assign(i int64, a Assignment) {
	for _, x := range z {
		x.assign(i, a)
	}
}

func (z zipped) at(i int64, id ParameterID) position {
	for _, x := range z {
		if x.sets().has(id) {
			return x.at(i, id)
		}
	}
	return position{}
}

// explicit are the rows of a points list.
type explicit []row

func (e explicit) size() int64                  { return int64(len(e)) }
func (e explicit) place() ParameterID           { return e.sets().first() }
func (e explicit) sometimes() idSet             { return e.sets() }
func (e explicit) defaults() (none idSet)       { return none }
func (e explicit) assign(i int64, a Assignment) { e[i].assign(a) }

func (e explicit) sets() (set idSet) {
	for _, r := range e {
		set = set.union(r.sets())
	}
	return set
}

func (e explicit) at(i int64, id ParameterID) position { return e[i].at(id) }
