package sweep

import (
	"fmt"
	"slices"
)

// violation is a rule that an assignment breaks: the parameter to point at, and a sentence with the
// fix.
type violation struct {
	id   ParameterID
	text string
}

// resolve completes an assignment in place: parameters that do not apply become null, those left
// out take their defaults, numbers take their parameter's kind, `representation: auto` becomes the
// cheapest exact one and `learning_rate: auto` a number. It returns the rules between parameters
// that the assignment breaks; values on their own are checked by Parameter.check before. Without
// violations a parameter is null exactly when it does not apply.
func (t table) resolve(a Assignment) []violation {
	failed := checkTeacherScale(a)
	for i := range a {
		id := ParameterID(i)
		if !t.applies(id, a) {
			a[id] = nullValue()
			continue
		}
		if a[id].IsNull() {
			a[id] = t.fallback(id, a)
		}
		if a[id].IsNull() {
			if t.required(id) {
				failed = append(failed, violation{id, t.missing(id)})
			}
			continue
		}
		a[id] = asKind(a[id], t[id].Kind)
	}
	// The representation is resolved whatever else is wrong: the static cost of a run of points
	// depends on it.
	inexact := resolveRepresentation(a)
	if failed == nil {
		failed = crossChecks(a)
	}
	if failed != nil {
		return failed
	}
	if inexact != "" {
		failed = append(failed, violation{Representation, inexact})
	}
	if text := resolveLearningRate(a); text != "" {
		failed = append(failed, violation{LearningRate, text})
	}
	return failed
}

// asKind turns whole floats into integers and integers into floats where the parameter is of that
// kind.
func asKind(v Value, k Kind) Value {
	switch {
	case k == KindInt && v.Kind() == KindFloat:
		return intValue(int64(v.Float()))
	case k == KindFloat && v.Kind() == KindInt:
		return floatValue(v.Float())
	}
	return v
}

// applies reports whether a parameter means anything in an assignment whose earlier parameters are
// resolved.
func (t table) applies(id ParameterID, a Assignment) bool {
	if id == TeacherNorm2 && !a[TeacherVariance].IsNull() {
		return false
	}
	when := t[id].When
	for _, c := range when {
		if slices.Contains(c.Words, a[c.ID].text) {
			return true
		}
	}
	return len(when) == 0
}

// fallback is the default of a parameter that applies and is not set; null where it must be given.
func (t table) fallback(id ParameterID, a Assignment) Value {
	p := &t[id]
	if id == Width {
		return a[Dimension]
	}
	if !p.Default.IsNull() {
		return p.Default
	}
	for _, own := range ruleOf(a).Parameters {
		if own.ID == id {
			return own.Default
		}
	}
	for _, own := range familyOf(a).Parameters {
		if own.ID == id {
			return own.Default
		}
	}
	return nullValue()
}

// required reports whether a parameter that applies, is not set and has no default is a mistake.
// Width is missing where dimension is, which is said already.
func (t table) required(id ParameterID) bool { return id != Width && !t[id].Optional }

// missing is the message for a parameter that applies, is not set and has no default.
func (t table) missing(id ParameterID) string {
	p := &t[id]
	text := p.Name + " is missing"
	if p.Use != "" {
		text += " (" + p.Use + ")"
	}
	return text + "; set it to " + p.Allowed()
}

// broken is one violation.
func broken(id ParameterID, format string, args ...any) []violation {
	return []violation{{id, fmt.Sprintf(format, args...)}}
}

// crossChecks are the rules between parameters, on a completed assignment.
func crossChecks(a Assignment) []violation {
	all := append(checkInit(a), checkBatch(a)...)
	if f := familyOf(a); f.check != nil {
		all = append(all, f.check(a)...)
	}
	return append(all, checkTeacher(a)...)
}

func checkBatch(a Assignment) []violation {
	if n, batch := a[Samples], a[BatchSize]; !n.IsNull() && !batch.IsNull() && batch.i > n.i {
		return broken(BatchSize, "batch_size: got %d, want at most samples = %d with model: minibatch", batch.i, n.i)
	}
	return nil
}

func checkInit(a Assignment) []violation {
	d, m := a[Dimension].i, a[Width].i
	switch {
	case a[Init].text == "identity" && m != d:
		return broken(Width, "width: got %d, want dimension %d with init: identity; "+
			"omit width, or use init: gaussian, orthonormal or sphere", m, d)
	case a[NegativeUnits].i >= m:
		return broken(NegativeUnits, "negative_units: got %d, want at most width - 1 = %d", a[NegativeUnits].i, m-1)
	case a[Init].text == "orthonormal" && m > d:
		return broken(Width, "width: got %d, want at most dimension %d with init: orthonormal", m, d)
	}
	return nil
}

// checkTeacherScale is the rule between the two scales of the teacher, before one of them stops
// applying.
func checkTeacherScale(a Assignment) []violation {
	if a[TeacherVariance].IsNull() || a[TeacherNorm2].IsNull() {
		return nil
	}
	return broken(
		TeacherVariance,
		"teacher_variance: got %s beside teacher_norm2, want one of them; omit teacher_norm2",
		a[TeacherVariance],
	)
}

func checkTeacher(a Assignment) (all []violation) {
	d := a[Dimension].i
	switch a[Teacher].text {
	case "eigen":
		if i := a[TeacherIndex].i; i >= d {
			return broken(TeacherIndex, "teacher_index: got %d, want 0..%d (indices count from 0)", i, d-1)
		}
	case "mix":
		for i := 0; i+1 < len(a[TeacherWeights].list); i += 2 {
			if index := a[TeacherWeights].list[i]; index >= float64(d) {
				all = append(all, broken(TeacherWeights,
					"teacher_weights: got index %v, want 0..%d (indices count from 0)", index, d-1)...)
			}
		}
	}
	return all
}
