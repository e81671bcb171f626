package results

import (
	"fmt"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/sweep"
)

// SweepSchema derives the schema of a sweep's result set. Nodes and coordinators derive the same
// one: deliveries with another are rejected. Sets of earlier solver versions have fewer columns.
func SweepSchema(spec *sweep.Spec, solver sweep.SolverIdentity) (*Schema, error) {
	var parameters []Column
	for _, id := range SweepParameters(spec) {
		p := spec.Describe(id)
		kind, err := parameterKind(p.Kind)
		if err != nil {
			return nil, fmt.Errorf("results: make schema: parameter %s: %w", p.Name, err)
		}
		var readBy []string
		for _, reader := range spec.ReadBy(id) {
			readBy = append(readBy, spec.Describe(reader).Name)
		}
		parameters = append(parameters, Column{
			Name: p.Name, Kind: kind, Nullable: true, Unit: p.Unit, Doc: p.Doc,
			Derived: spec.Derived(id), Axis: spec.Axis(id), ReadBy: strings.Join(readBy, " "),
		})
	}
	record := spec.Record()
	s, err := NewSchema(parameters, Options{
		Solver:       solver,
		Trajectories: !record.None(),
		Coefficients: record.Coefficients,
	})
	if _, before4 := solver.BeforeIdentities(); err == nil && before4 {
		err = s.restore()
	}
	return s, err
}

// restore gives the tables the columns that they had before solver version 4.
func (s *Schema) restore() (err error) {
	for _, t := range s.Tables() {
		later := func(c Column) bool { return hasProperty(t, c.Name, since4) }
		all := s.tables[t]
		s.tables[t] = slices.DeleteFunc(withRetired(t, all), later)
		s.missing[t] = without(all, s.tables[t])
		if s.wire[t] == nil {
			continue
		}
		if s.wire[t], err = wireSchemaBytes(s.tables[t]); err != nil {
			return err
		}
	}
	return nil
}

// SweepParameters returns the parameters that are columns of a sweep's points table, in their
// order. The representation is not among them, because every points table has a column for it.
func SweepParameters(spec *sweep.Spec) []sweep.ParameterID {
	return slices.DeleteFunc(spec.Columns(), func(id sweep.ParameterID) bool { return id == sweep.Representation })
}

// Variables returns the parameter columns that the sweep file declares itself: those of no
// parameter of the solver.
func (s *Schema) Variables() []Column {
	known := sweep.Parameters()
	return slices.DeleteFunc(slices.Clone(s.parameters), func(c Column) bool {
		return slices.ContainsFunc(known, func(p sweep.Parameter) bool { return p.Name == c.Name })
	})
}

// RateVariables returns the variables that only choose the learning rate: derive reads them for
// nothing else. Their values compete as learning rates do.
func (s *Schema) RateVariables() []Column {
	return slices.DeleteFunc(s.Variables(), func(c Column) bool { return c.ReadBy != "learning_rate" })
}

// parameterKind returns the kind of the columns of parameters of a kind; lists are stored as JSON.
func parameterKind(k sweep.Kind) (Kind, error) {
	switch k {
	case sweep.KindInt:
		return Int64, nil
	case sweep.KindFloat:
		return Float64, nil
	case sweep.KindBool:
		return Bool, nil
	case sweep.KindText, sweep.KindList, sweep.KindPairs:
		return String, nil
	}
	return 0, fmt.Errorf("no column stores values of kind %d", k)
}

// parameterCell returns the value of a parameter as its column stores it.
func parameterCell(v sweep.Value) Cell {
	switch v.Kind() {
	case sweep.KindNull:
		return Cell{Null: true}
	case sweep.KindInt, sweep.KindFloat: // an integer may be the value of a parameter of kind float
		return Cell{Int: v.Int(), Float: v.Float()}
	case sweep.KindBool:
		return Cell{Bool: v.Bool()}
	case sweep.KindText:
		return Cell{Text: v.Text()}
	}
	return Cell{Text: v.String()}
}
