package sweep

import (
	"fmt"
	"math"
)

// setting is the value of one parameter and its place in the file.
type setting struct {
	id    ParameterID
	value Value
	pos   position
}

// row is an entry of an axis or of points: the value of the axis first, then the parameters of its
// own.
type row []setting

// axisForm says how an axis lists its values.
type axisForm uint8

const (
	listForm  axisForm = iota // the values one by one
	linForm                   // from + (to - from)·(i/(n-1))
	logForm                   // from·(to/from)^(i/(n-1)), both ends exact
	rangeForm                 // from + i·step, up to and including to
)

// axis is one parameter's values in order.
type axis struct {
	id   ParameterID
	pos  position // of the key
	form axisForm
	rows []row // of listForm

	whole          bool // the parameter is an integer
	num            int64
	from, to, step float64
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

// value is entry i of a form other than listForm.
func (x *axis) value(i int64) Value {
	f := x.from
	switch x.form {
	case linForm:
		if x.num > 1 {
			f += float64((x.to - x.from) * (float64(i) / float64(x.num-1)))
		}
	case logForm:
		switch i {
		case 0:
		case x.num - 1:
			f = x.to
		default:
			f = float64(x.from * math.Pow(x.to/x.from, float64(i)/float64(x.num-1)))
		}
	case rangeForm:
		f += float64(float64(i) * x.step)
	}
	if x.whole {
		return intValue(int64(math.Round(f)))
	}
	return floatValue(f)
}

// check returns what is wrong with the numbers of a form; "" if nothing is.
func (x *axis) check(p *Parameter) string {
	last := x.num - 1
	for _, i := range []int64{0, last} {
		if text := p.check(x.value(i), x.value(i).String()); text != "" {
			return text
		}
	}
	if x.form == logForm && (math.IsInf(x.to/x.from, 0) || x.to/x.from == 0) {
		return fmt.Sprintf("logspace: the ratio of to %s and from %s overflows; choose closer ends",
			formatFloat(x.to), formatFloat(x.from))
	}
	if !x.whole {
		return ""
	}
	notWhole := func(i int64, f float64) string {
		return fmt.Sprintf(
			"%s: entry %d is %s, want an integer; list the values, or choose num so that all are integers",
			p.Name,
			i+1,
			formatFloat(f),
		)
	}
	switch x.form {
	case linForm:
		if gap := (x.to - x.from) / float64(max(1, last)); gap != math.Trunc(gap) {
			return notWhole(1, x.from+gap)
		}
	case logForm:
		for i := int64(1); i < last; i++ {
			f := x.from * math.Pow(x.to/x.from, float64(i)/float64(last))
			if math.Abs(f-math.Round(f)) > 1e-9*f {
				return notWhole(i, f)
			}
			if i > 64 {
				break // a whole ratio of at least 2 has passed every bound by now, and a ratio of 1 stays whole
			}
		}
	case rangeForm:
		if x.step != math.Trunc(x.step) || x.from != math.Trunc(x.from) {
			return notWhole(1, x.from+x.step)
		}
	}
	return ""
}

func (r row) sets() idSet {
	var set idSet
	for _, s := range r {
		set = set.with(s.id)
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
func (e explicit) assign(i int64, a Assignment) { e[i].assign(a) }

func (e explicit) sets() (set idSet) {
	for _, r := range e {
		set = set.union(r.sets())
	}
	return set
}

func (e explicit) at(i int64, id ParameterID) position { return e[i].at(id) }
