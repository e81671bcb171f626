package rows

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/phasegrid/phasegrid/sweep"
)

// readCSV reads comma-separated values, the first line of which has the names. Space around a value
// is not part of it.
func readCSV(section *io.SectionReader) (sweep.Rows, error) {
	text := bufio.NewReader(section)
	if mark, err := text.Peek(3); err == nil && string(mark) == "\ufeff" {
		if _, err := text.Discard(3); err != nil {
			return sweep.Rows{}, err
		}
	}
	r := csv.NewReader(text)
	var rows sweep.Rows
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return sweep.Rows{}, err
		}
		cells := make([]sweep.Cell, len(fields))
		for i, field := range fields {
			cells[i].Text = strings.TrimSpace(field)
			cells[i].Line, cells[i].Column = r.FieldPos(i)
			if !utf8.ValidString(field) {
				return sweep.Rows{}, fmt.Errorf("line %d, column %d: got bytes that are not UTF-8, want text",
					cells[i].Line, cells[i].Column)
			}
		}
		if rows.Names == nil {
			rows.Names = cells
			continue
		}
		rows.Rows = append(rows.Rows, cells)
		if err := checkSize(len(rows.Names), int64(len(rows.Rows))); err != nil {
			return sweep.Rows{}, err
		}
	}
}
