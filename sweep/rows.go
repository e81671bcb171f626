package sweep

import (
	"path/filepath"
	"regexp"
	"strings"
)

// Rows are explicit points that a file lists: what `points: {file: rows.csv}` names. A column is a
// parameter or a variable.
type Rows struct {
	Names []Cell   // of the columns
	Rows  [][]Cell // each has a cell for each name
}

// Cell is one value of Rows as a sweep file writes it. A cell without text sets nothing.
type Cell struct {
	Text         string
	Quoted       bool // it is a word, whatever it looks like
	Line, Column int  // in the file of rows, counted from 1
}

// OpenRows reads a file of rows that a sweep file names. Relative names are relative to the sweep
// file.
type OpenRows func(file string) (Rows, error)

const (
	// MaxCells bounds the values in the files of rows of a sweep: its canonical form would have too
	// many marks with more.
	MaxCells = 40_000
	// rowsPattern is what a file of rows may be called.
	rowsPattern = `(?i)\.(csv|parquet)$`
)

// ReadsFiles reports whether a sweep file names files of rows, which only Parse with Limits.Rows
// can read.
func ReadsFiles(src []byte) bool {
	root, ok := readDocument(src, func(position, string, ...any) {})
	return ok && eachPoints(&root, func(*node, *node) bool { return false })
}

// HasRowFiles reports whether some of the spec's rows were read from files. File writes them out.
func (s *Spec) HasRowFiles() bool { return s.rowFiles }

// eachPoints calls visit for each mapping under points in a block and the blocks of its union, with
// the value of its key file, until it returns false. It reports whether there is one.
func eachPoints(block *node, visit func(points, file *node) bool) (found bool) {
	for i := range block.keys {
		e := &block.keys[i]
		switch {
		case e.key == "points" && e.value.kind == mapNode:
			for k := range e.value.keys {
				if e.value.keys[k].key == "file" {
					found = true
					if !visit(&e.value, &e.value.keys[k].value) {
						return true
					}
					break
				}
			}
		case e.key == "union":
			for k := range e.value.list {
				found = eachPoints(&e.value.list[k], visit) || found
			}
		}
	}
	return found
}

// insertRows puts the rows of files in place of the mappings that name them.
func (r *reader) insertRows(root *node, open OpenRows) {
	cells := 0
	eachPoints(root, func(points, file *node) bool {
		list, ok := r.rowsOf(*points, *file, open, &cells)
		if ok {
			*points = list
		}
		r.unread = r.unread || !ok
		return true
	})
}

// rowsOf reads the rows of one file as a list.
func (r *reader) rowsOf(points, file node, open OpenRows, cells *int) (node, bool) {
	for _, e := range r.mapping(points, "", "") {
		if e.key != "file" {
			r.unknown(e, []string{"file"})
		}
	}
	switch {
	case file.kind != plainNode && file.kind != quotedNode || !regexp.MustCompile(rowsPattern).MatchString(file.text):
		r.fail(file.pos, "points: got file %s, want the name of a .csv or .parquet file", file)
		return node{}, false
	case open == nil:
		r.fail(file.pos, "points: file %s cannot be read here; phasegrid run, plan and submit read it", file)
		return node{}, false
	}
	rows, err := open(file.text)
	if err != nil {
		r.fail(file.pos, "points: %v", err)
		return node{}, false
	}
	if *cells += len(rows.Names) * len(rows.Rows); *cells > MaxCells {
		r.fail(file.pos, "points: got %d values in files, want at most %d; use grid or sample, or split the sweep",
			*cells, MaxCells)
		return node{}, false
	}
	r.files = append(r.files, filepath.Base(file.text))
	list := node{kind: listNode, pos: file.pos}
	for _, row := range rows.Rows {
		list.list = append(list.list, r.rowOf(rows.Names, row))
	}
	return list, true
}

// rowOf is one row of the file that was read last.
func (r *reader) rowOf(names, cells []Cell) node {
	at := func(c Cell) position {
		return position{line: int32(c.Line), column: int32(c.Column), file: int32(len(r.files) - 1)}
	}
	row := node{kind: mapNode, pos: at(cells[0])}
	for i, c := range cells {
		if c.Text != "" {
			row.keys = append(row.keys, entry{names[i].Text, at(names[i]), r.cellOf(c, at(c))})
		}
	}
	return row
}

// cellOf is the value of a cell. A list is written as in a sweep file.
func (r *reader) cellOf(c Cell, at position) node {
	switch {
	case c.Quoted:
		return node{kind: quotedNode, pos: at, text: c.Text}
	case !strings.HasPrefix(c.Text, "["):
		return node{kind: plainNode, pos: at, text: c.Text}
	}
	n, ok := readDocument([]byte(c.Text), func(_ position, format string, args ...any) { r.fail(at, format, args...) })
	if !ok {
		return node{kind: quotedNode, pos: at, text: c.Text}
	}
	n.move(at)
	return n
}

// move sets the place of a node and all below it.
func (n *node) move(to position) {
	n.pos = to
	for i := range n.list {
		n.list[i].move(to)
	}
	for i := range n.keys {
		n.keys[i].pos = to
		n.keys[i].value.move(to)
	}
}
