package reuse

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/phasegrid/phasegrid/results"
)

// A record is the rows of one point: a header, the summary of its run, and its rows in the other
// tables, all of fixed size.

// recordHeader opens a record.
type recordHeader struct {
	Diverged                 bool // otherwise ok
	Trajectory, Coefficients uint32
}

// canReuse reports whether a row can be reused. Points with failed and invalid rows are solved
// again.
func canReuse(p *results.PointRow) bool {
	return p.Status == results.StatusOK || p.Status == results.StatusDiverged
}

// appendRecord encodes the rows of a point that can be reused.
func appendRecord(b []byte, rows *results.PointRows) []byte {
	b = mustAppend(b, recordHeader{
		Diverged:     rows.Point.Status == results.StatusDiverged,
		Trajectory:   uint32(len(rows.Trajectory)),
		Coefficients: uint32(len(rows.Coefficients)),
	})
	b = mustAppend(b, rows.Point.RunSummary)
	b = mustAppend(b, rows.Trajectory)
	return mustAppend(b, rows.Coefficients)
}

// mustAppend encodes a value of fixed size, which cannot fail.
func mustAppend(b []byte, v any) []byte {
	b, err := binary.Append(b, binary.LittleEndian, v)
	if err != nil {
		panic(err)
	}
	return b
}

// decodeRecord reads what appendRecord wrote.
func decodeRecord(record []byte) (rows results.PointRows, err error) {
	r := bytes.NewReader(record)
	var h recordHeader
	if err := binary.Read(r, binary.LittleEndian, &h); err != nil {
		return rows, fmt.Errorf("read header: %w", err)
	}
	size := binary.Size(rows.Point.RunSummary) + int(h.Trajectory)*binary.Size(results.TrajectoryRow{}) +
		int(h.Coefficients)*binary.Size(results.CoefficientRow{})
	if r.Len() != size {
		return rows, errors.New("the length of a record does not match its header")
	}
	rows.Point.Status = results.StatusOK
	if h.Diverged {
		rows.Point.Status = results.StatusDiverged
	}
	rows.Trajectory = make([]results.TrajectoryRow, h.Trajectory)
	rows.Coefficients = make([]results.CoefficientRow, h.Coefficients)
	for _, v := range []any{&rows.Point.RunSummary, rows.Trajectory, rows.Coefficients} {
		if err := binary.Read(r, binary.LittleEndian, v); err != nil {
			return rows, err
		}
	}
	return rows, nil
}
