package results

const (
	// RowGroupRows is the number of rows of a row group, which is that of DuckDB.
	RowGroupRows = 122_880
	// rowGroupText ends a row group early, so that long texts do not exceed its memory.
	rowGroupText = 64 << 20
)

// rowGroup collects the rows of one Parquet row group, column by column, from batches of any size.
// The bytes depend on the rows only: each column chunk is one WriteBatch.
type rowGroup struct {
	columns []Column
	rows    int
	text    int // bytes of text
	vectors []vector
}

func newRowGroup(columns []Column) *rowGroup {
	return &rowGroup{columns: columns, vectors: make([]vector, len(columns))}
}

// full reports whether the row group must be written before the next row.
func (g *rowGroup) full() bool { return g.rows == RowGroupRows || g.text >= rowGroupText }

// take appends rows of b, starting at from, until the group is full. It returns the first row not
// taken.
func (g *rowGroup) take(b batch, from int) int {
	to := min(b.rows, from+RowGroupRows-g.rows)
	for i := from; i < to; i++ {
		if g.text >= rowGroupText {
			to = i
			break
		}
		for j := range b.columns {
			if ends := b.columns[j].ends; ends != nil {
				g.text += int(ends[i+1] - ends[i])
			}
		}
	}
	for j := range b.columns {
		g.vectors[j].take(&b.columns[j], g.columns[j], from, to)
	}
	g.rows += to - from
	return to
}

// write writes the rows as a row group and empties it; its memory is reused.
func (g *rowGroup) write(f *parquetFile) error {
	err := f.writeRowGroup(g.rows, g.columns, g.vectors)
	for i := range g.vectors {
		g.vectors[i].clear()
	}
	g.rows, g.text = 0, 0
	return err
}
