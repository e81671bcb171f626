package solver

import (
	"cmp"
	"slices"
)

// eigenspaces lists the groups of a spectrum: the teacher's own line first, then the distinct
// eigenvalues, falling. Another direction with the teacher's eigenvalue is a separate group. A
// teacher that is not an eigenvector has no group.
func eigenspaces(p *Problem) []Group {
	eigen, teacher := p.Teacher.Kind == Eigen, 0.0
	groups := make([]Group, 0, len(p.Covariance.Spectrum)+1)
	if eigen {
		groups = append(groups, Group{Multiplicity: 1})
	}
	first := len(groups)
	at := 0
	for _, run := range p.Covariance.Spectrum {
		count := run.Count
		if eigen && p.Teacher.Index >= at && p.Teacher.Index < at+count {
			teacher = run.Value
			count--
		}
		at += run.Count
		if count > 0 {
			groups = append(groups, Group{run.Value, count})
		}
	}
	if eigen {
		groups[0].Eigenvalue = teacher
	}
	slices.SortStableFunc(groups[first:], func(a, b Group) int { return cmp.Compare(b.Eigenvalue, a.Eigenvalue) })
	distinct := first
	for _, g := range groups[first:] {
		if distinct > first && groups[distinct-1].Eigenvalue == g.Eigenvalue {
			groups[distinct-1].Multiplicity += g.Multiplicity
			continue
		}
		groups[distinct] = g
		distinct++
	}
	return groups[:distinct]
}
