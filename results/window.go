package results

import (
	"math"
	"slices"
)

// rowKey is what a table's rows are ordered by: point, step and group, 0 where the table has none.
type rowKey [3]int64

// keyColumns are the columns of a row's key.
func keyColumns(t Table) []string {
	return []string{"point", "step", "group"}[:t-Points+1]
}

func keyOf(cells []Cell) (key rowKey) {
	for i, c := range cells {
		key[i] = c.Int
	}
	return key
}

// window is consecutive rows of a table, in memory.
type window struct {
	keys            []rowKey // ascending
	columns         []windowColumn
	bytes, maxBytes int64
}

// windowColumn is a column of a window. A text is stored once.
type windowColumn struct {
	kind  Kind
	null  []bool
	bits  []uint64 // numbers and booleans as bits, texts as indices into texts
	texts []string
	index map[string]uint64
}

// A row takes keyBytes and cellBytes for each of its cells, without texts.
const (
	keyBytes  = 24
	cellBytes = 9
)

// newWindow returns a window with room for rows of the given bytes in total, at most maxRows.
func newWindow(kinds []Kind, bytes, maxRows int64) *window {
	rows := min(maxRows, bytes/int64(keyBytes+cellBytes*len(kinds))+1)
	w := &window{keys: make([]rowKey, 0, rows), maxBytes: bytes}
	for _, k := range kinds {
		w.columns = append(w.columns, windowColumn{
			kind: k, null: make([]bool, 0, rows), bits: make([]uint64, 0, rows), index: map[string]uint64{},
		})
	}
	return w
}

// full reports whether the rows take all of the window's bytes.
func (w *window) full() bool { return w.bytes >= w.maxBytes }

// add appends a row whose key is above all others.
func (w *window) add(key rowKey, cells []Cell) {
	w.keys = append(w.keys, key)
	w.bytes += keyBytes
	for j := range w.columns {
		w.bytes += cellBytes + w.columns[j].add(cells[j])
	}
}

// add returns how many bytes of text it has stored.
func (c *windowColumn) add(cell Cell) (textBytes int64) {
	bits := uint64(0)
	switch {
	case cell.Null:
	case c.kind == Float64:
		bits = math.Float64bits(cell.Float)
	case c.kind == Bool && cell.Bool:
		bits = 1
	case c.kind == Int64, c.kind == Time:
		bits = uint64(cell.Int)
	case c.kind == String:
		i, ok := c.index[cell.Text]
		if !ok {
			i = uint64(len(c.texts))
			c.texts = append(c.texts, cell.Text)
			c.index[cell.Text] = i
			textBytes = int64(len(cell.Text)) + 64 // with its entries in texts and index
		}
		bits = i
	}
	c.null = append(c.null, cell.Null)
	c.bits = append(c.bits, bits)
	return textBytes
}

// cell returns the cell of a row.
func (c *windowColumn) cell(row int) Cell {
	if c.null[row] {
		return Cell{Null: true}
	}
	switch bits := c.bits[row]; c.kind {
	case Float64:
		return Cell{Float: math.Float64frombits(bits)}
	case Bool:
		return Cell{Bool: bits != 0}
	case String:
		return Cell{Text: c.texts[bits]}
	default:
		return Cell{Int: int64(bits)}
	}
}

// find returns the row with the key. guess is the row to look at first: rows mostly come in order.
func (w *window) find(key rowKey, guess int) (row int, ok bool) {
	if guess < len(w.keys) && w.keys[guess] == key {
		return guess, true
	}
	return slices.BinarySearchFunc(w.keys, key, func(a, b rowKey) int { return slices.Compare(a[:], b[:]) })
}

// reset removes the rows and keeps the memory.
func (w *window) reset() {
	w.keys, w.bytes = w.keys[:0], 0
	for j := range w.columns {
		c := &w.columns[j]
		c.null, c.bits = c.null[:0], c.bits[:0]
		clear(c.texts)
		c.texts = c.texts[:0]
		clear(c.index)
	}
}
