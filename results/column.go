package results

import "fmt"

// Kind is the type of a column.
type Kind uint8

const (
	Int64 Kind = iota
	Float64
	String // UTF-8; lists and pairs are stored as canonical JSON
	Bool
	Time // microseconds since 1970 in UTC
)

// String returns the name of the kind.
func (k Kind) String() string {
	if k <= Time {
		return [...]string{"int64", "float64", "string", "bool", "timestamp"}[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Column is one column of a table, with the metadata that is stored in Arrow and Parquet fields.
type Column struct {
	Name     string
	Kind     Kind
	Nullable bool
	Unit     string
	Doc      string // formula or meaning

	// Of a parameter of a sweep:
	Derived bool   // derive computes it from others
	Axis    bool   // it differs between points by itself
	ReadBy  string // the parameters whose expressions in derive read it, separated by spaces
}

// Cell is one value of a row; the kind of its column decides which field has it.
type Cell struct {
	Null  bool
	Int   int64 // of Int64 and Time
	Float float64
	Text  string
	Bool  bool
}

// Table is a table of the result set.
type Table uint8

const (
	Points Table = iota
	Trajectories
	Coefficients
	Shards // which node computed each shard, and when: differs between runs of a sweep

	numTables = iota
)

// Tables returns every table that a result set can have, in order.
func Tables() []Table { return []Table{Points, Trajectories, Coefficients, Shards} }

// String returns the table's name, which is that of its folder and its view.
func (t Table) String() string {
	if int(t) < numTables {
		return [numTables]string{"points", "trajectories", "coefficients", "shards"}[t]
	}
	return fmt.Sprintf("table(%d)", uint8(t))
}

// tableNamed is the inverse of Table.String.
func tableNamed(name string) (Table, error) {
	for t := range Table(numTables) {
		if t.String() == name {
			return t, nil
		}
	}
	return 0, fmt.Errorf("results: unknown table %q", name)
}
