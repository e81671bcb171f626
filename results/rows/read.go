package rows

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/phasegrid/phasegrid/sweep"
)

const (
	maxFileBytes = 64 << 20
	maxColumns   = 256
)

// Beside returns a function that reads files of rows whose names are relative to a sweep file, or
// to the working directory if that is "-", standard input.
func Beside(sweepFile string) sweep.OpenRows {
	return func(name string) (sweep.Rows, error) {
		if sweepFile != "-" && !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(sweepFile), name)
		}
		return read(name)
	}
}

// read reads one file.
func read(name string) (sweep.Rows, error) {
	f, err := os.Open(name)
	if err != nil {
		return sweep.Rows{}, fmt.Errorf("read rows: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return sweep.Rows{}, fmt.Errorf("read rows: %w", err)
	}
	if !info.Mode().IsRegular() {
		return sweep.Rows{}, fmt.Errorf("read rows of %s: not a regular file", name)
	}
	if info.Size() > maxFileBytes {
		return sweep.Rows{}, fmt.Errorf(
			"read rows of %s: got %d bytes, want at most %d",
			name,
			info.Size(),
			maxFileBytes,
		)
	}
	rows, err := decode(name, io.NewSectionReader(f, 0, info.Size()))
	if err != nil {
		return sweep.Rows{}, fmt.Errorf("read rows of %s: %w", name, err)
	}
	return rows, nil
}

// decode reads a table in the format that the name says.
func decode(name string, r *io.SectionReader) (sweep.Rows, error) {
	read := readCSV
	if strings.EqualFold(filepath.Ext(name), ".parquet") {
		read = readParquet
	}
	rows, err := read(r)
	if err != nil {
		return sweep.Rows{}, err
	}
	switch {
	case len(rows.Names) == 0:
		return sweep.Rows{}, fmt.Errorf("got no columns, want one for each parameter")
	case len(rows.Rows) == 0:
		return sweep.Rows{}, fmt.Errorf("got no rows, want at least one")
	}
	return rows, nil
}

// checkSize limits a table before its values are read.
func checkSize(columns int, rows int64) error {
	switch {
	case columns > maxColumns:
		return fmt.Errorf("got %d columns, want at most %d", columns, maxColumns)
	case rows > sweep.MaxCells/int64(max(1, columns)):
		return fmt.Errorf("got %d rows of %d columns, want at most %d values; use grid or sample, or split the sweep",
			rows, columns, sweep.MaxCells)
	}
	return nil
}
