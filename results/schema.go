package results

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/phasegrid/phasegrid/sweep"
)

// Options select the tables of a result set and the solver that computes it.
type Options struct {
	Solver       sweep.SolverIdentity
	Trajectories bool // the sweep records steps
	Coefficients bool // it records the coefficients of all groups, too
}

// Schema is the tables of a result set with their columns. It is immutable and safe for concurrent
// use.
type Schema struct {
	parameters []Column
	options    Options
	tables     [numTables][]Column // nil: the set does not have the table
	missing    [numTables][]Column // columns of this release that a set of an earlier one does not have
	wire       [numTables][]byte   // schema message of each table's stream
}

var columnName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// NewSchema returns the schema of a result set whose points table has the given parameter columns,
// in this order; all of them are nullable. A name of another column, such as representation or a
// metric, is an error.
func NewSchema(parameters []Column, options Options) (*Schema, error) {
	s := &Schema{options: options}
	for _, p := range parameters {
		if !columnName.MatchString(p.Name) {
			return nil, fmt.Errorf("results: make schema: got parameter column %q, want %s", p.Name, columnName)
		}
		if p.Kind > Bool {
			return nil, fmt.Errorf(
				"results: make schema: parameter column %s has kind %s, want one of parameters", p.Name, p.Kind,
			)
		}
		p.Nullable = true
		s.parameters = append(s.parameters, p)
	}
	s.tables[Points] = slices.Concat(columnsOf(pointKey), s.parameters, columnsOf(pointResults))
	seen := map[string]bool{}
	for _, c := range s.tables[Points] {
		if seen[c.Name] {
			return nil, fmt.Errorf("results: make schema: the points table has two columns %s", c.Name)
		}
		seen[c.Name] = true
	}
	if options.Trajectories {
		s.tables[Trajectories] = columnsOf(trajectoryFields)
	}
	if options.Coefficients {
		s.tables[Coefficients] = columnsOf(coefficientFields)
	}
	s.tables[Shards] = columnsOf(shardFields)
	for _, t := range s.deliverable() {
		var err error
		if s.wire[t], err = wireSchemaBytes(s.tables[t]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Parameters returns the parameter columns of the points table, which must not be changed.
func (s *Schema) Parameters() []Column { return s.parameters }

// Options returns the options of the schema.
func (s *Schema) Options() Options { return s.options }

// Columns returns the columns of a table, which must not be changed; nil if the set does not have
// it.
func (s *Schema) Columns(t Table) []Column { return s.tables[t] }

// Missing returns the columns of a table of this release that a set of an earlier one does not
// have. They must not be changed.
func (s *Schema) Missing(t Table) []Column { return s.missing[t] }

// Has reports whether the set has the table.
func (s *Schema) Has(t Table) bool { return int(t) < numTables && s.tables[t] != nil }

// Tables returns the set's tables in order.
func (s *Schema) Tables() []Table { return s.present(numTables) }

// deliverable returns the tables that nodes send, in their order in a payload.
func (s *Schema) deliverable() []Table { return s.present(int(Shards)) }

// present returns the set's tables before end.
func (s *Schema) present(end int) []Table {
	var tables []Table
	for t := range end {
		if s.tables[t] != nil {
			tables = append(tables, Table(t))
		}
	}
	return tables
}
