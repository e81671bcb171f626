package results

import (
	"fmt"
	"regexp"
	"slices"
)

// Options say which tables a set has, and which solver computes it.
type Options struct {
	SolverVersion int
	// Trajectories: the sweep records steps. Coefficients: it records every group's coefficient
	// too.
	Trajectories bool
	Coefficients bool
}

// Schema is the columns of a result set's tables. It is immutable and safe for concurrent use.
type Schema struct {
	parameters []Column
	options    Options
	tables     [numTables][]Column // nil: the set does not have this table
	wire       [numTables][]byte   // opening message of each table's stream
}

var columnName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// NewSchema returns the schema of a sweep whose points table has the given parameter columns, in
// their order; all of them may be null. The parameters "representation" and those named like a
// metric are the writer's own and not allowed here.
func NewSchema(parameters []Column, options Options) (*Schema, error) {
	s := &Schema{options: options}
	for _, p := range parameters {
		if !columnName.MatchString(p.Name) {
			return nil, fmt.Errorf(
				"results: parameter column %q: want lower case letters, digits and underscores",
				p.Name,
			)
		}
		if p.Kind > Bool {
			return nil, fmt.Errorf("results: parameter column %s: kind %d is not a parameter's", p.Name, p.Kind)
		}
		p.Nullable = true
		s.parameters = append(s.parameters, p)
	}
	s.tables[Points] = slices.Concat(columnsOf(pointKey), s.parameters, columnsOf(pointResults))
	seen := map[string]bool{}
	for _, c := range s.tables[Points] {
		if seen[c.Name] {
			return nil, fmt.Errorf("results: two columns named %s in the points table", c.Name)
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

// Parameters are the parameter columns of the points table. Read only.
func (s *Schema) Parameters() []Column { return s.parameters }

// Options are those the schema was made with.
func (s *Schema) Options() Options { return s.options }

// Columns are those of a table, nil where the set does not have it. Read only.
func (s *Schema) Columns(t Table) []Column { return s.tables[t] }

// Has tells whether the set has the table.
func (s *Schema) Has(t Table) bool { return int(t) < numTables && s.tables[t] != nil }

// Tables lists the set's tables in order.
func (s *Schema) Tables() []Table { return s.present(numTables) }

// deliverable lists the tables that nodes send, in the order in which a payload concatenates them.
func (s *Schema) deliverable() []Table { return s.present(int(Shards)) }

func (s *Schema) present(end int) []Table {
	var tables []Table
	for t := range end {
		if s.tables[t] != nil {
			tables = append(tables, Table(t))
		}
	}
	return tables
}
