package results

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
)

// Reason is why a delivery was rejected; it is a label of metrics.
type Reason string

const (
	BadSize     Reason = "size"     // too large, or not the sum of its segments
	Corrupt     Reason = "checksum" // not the bytes that were sent
	BadTables   Reason = "tables"   // segments are not the set's tables in order
	OtherSchema Reason = "schema"   // columns of another sweep or release
	Malformed   Reason = "frame"    // not a well-formed Arrow stream
	Null        Reason = "null"     // null in a required column
	BadText     Reason = "text"     // too long, not UTF-8, or not an id
	Infinite    Reason = "finite"   // NaN or Inf
	OutOfRange  Reason = "range"    // a point outside the shard, or a negative step
	OutOfOrder  Reason = "order"    // rows out of order or duplicated
	BadCount    Reason = "rows"     // unexpected number of rows
	BadWord     Reason = "status"   // unknown status or representation
	OtherPoint  Reason = "identity" // point_id or parameters that are not those of the point
)

// rejection is the error for a delivery that is not exactly the expected shard.
type rejection struct {
	reason Reason
	detail string
}

func (r *rejection) Error() string {
	return fmt.Sprintf("rejected (%s): %s", r.reason, r.detail)
}

func reject(reason Reason, format string, args ...any) error {
	return &rejection{reason, fmt.Sprintf(format, args...)}
}

// Expectation describes the shard that a delivery must be.
type Expectation struct {
	First, End int64 // unfiltered indices [First, End)
	// Points is the number of points among the indices; below 0: every index that is present.
	Points int64
	// Present reports which indices are points; nil if the caller does not know.
	Present func(index int64) bool
	// Identity returns what the sweep file decides of a row; nil if the caller does not know.
	Identity Identity
}

// Shard is a decoded delivery. It aliases the payload, which must not change while it is in use.
type Shard struct {
	Points   int64
	ByStatus map[string]int64
	tables   [numTables][]batch
}

// Decode checks that a delivery is exactly the expected shard and returns its rows. It trusts
// nothing: it checks sizes, then the checksum, then every length, null count, order, range and
// number. ReasonOf returns why a delivery was rejected.
func (s *Schema) Decode(d Delivery, e Expectation) (shard *Shard, err error) {
	defer func() {
		// The metadata of an IPC message is a flatbuffer, whose accessors panic outside their
		// slice.
		if r := recover(); r != nil {
			shard, err = nil, reject(Malformed, "unreadable message: %v", r)
		}
	}()
	if err := s.checkSegments(d); err != nil {
		return nil, fmt.Errorf("results: decode delivery: %w", err)
	}
	shard = &Shard{ByStatus: map[string]int64{}}
	payload := d.Payload
	for _, segment := range d.Segments {
		if shard.tables[segment.Table], err = s.decodeTable(segment, payload[:segment.Bytes]); err != nil {
			return nil, fmt.Errorf("results: decode %s: %w", segment.Table, err)
		}
		payload = payload[segment.Bytes:]
	}
	if err := s.checkPoints(shard, e); err != nil {
		return nil, fmt.Errorf("results: decode points: %w", err)
	}
	if err := s.checkIdentity(shard, e.Identity); err != nil {
		return nil, fmt.Errorf("results: decode points: %w", err)
	}
	for _, t := range s.deliverable()[1:] {
		if err := s.checkSteps(shard, t); err != nil {
			return nil, fmt.Errorf("results: decode %s: %w", t, err)
		}
	}
	return shard, nil
}

// ReasonOf returns the reason of a rejection, "" for other errors.
func ReasonOf(err error) Reason {
	var r *rejection
	if errors.As(err, &r) {
		return r.reason
	}
	return ""
}

// checkSegments checks tables, sizes and checksum.
func (s *Schema) checkSegments(d Delivery) error {
	if len(d.Payload) > MaxPayloadBytes {
		return reject(BadSize, "got %d bytes, want at most %d", len(d.Payload), MaxPayloadBytes)
	}
	tables := s.deliverable()
	if len(d.Segments) != len(tables) {
		return reject(BadTables, "got %d segments for %d tables", len(d.Segments), len(tables))
	}
	left := int64(len(d.Payload))
	for i, segment := range d.Segments {
		if segment.Table != tables[i] {
			return reject(BadTables, "segment %d: got %s, want %s", i, segment.Table, tables[i])
		}
		if segment.Bytes < 0 || segment.Bytes > left || segment.Bytes%8 != 0 || segment.Rows < 0 {
			return reject(
				BadSize, "segment of %d bytes and %d rows with %d bytes left", segment.Bytes, segment.Rows, left,
			)
		}
		left -= segment.Bytes
	}
	if left != 0 {
		return reject(BadSize, "%d bytes after the last segment", left)
	}
	if sum := checksum(d.Payload); sum != d.CRC32C {
		return reject(Corrupt, "CRC-32C: got %08x, want %08x", sum, d.CRC32C)
	}
	return nil
}

// decodeTable decodes one segment and checks what holds for every table: schema, number of rows and
// finite numbers.
func (s *Schema) decodeTable(segment Segment, stream []byte) ([]batch, error) {
	columns := s.tables[segment.Table]
	// The schema message is compared and not parsed: both sides encode the same one.
	rest, ok := bytes.CutPrefix(stream, s.wire[segment.Table])
	if !ok {
		return nil, reject(OtherSchema, "the schema is not that of this sweep")
	}
	var batches []batch
	var rows int64
	for {
		b, next, ok, err := nextBatch(rest, columns)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		for i := range b.columns {
			if err := b.columns[i].checkFinite(columns[i].Name); err != nil {
				return nil, err
			}
		}
		batches, rest, rows = append(batches, b), next, rows+int64(b.rows)
	}
	if rows != segment.Rows {
		return nil, reject(BadCount, "got %d rows in a segment of %d", rows, segment.Rows)
	}
	return batches, nil
}

func (c *column) checkFinite(name string) error {
	const exponent = 0x7ff << 52
	for i, x := range c.floats {
		if math.Float64bits(x)&exponent == exponent && !c.isNull(i) {
			return reject(Infinite, "%s is %v in row %d", name, x, i)
		}
	}
	return nil
}

// checkPoints checks that the points are exactly the expected ones, with known words and
// well-formed ids.
func (s *Schema) checkPoints(shard *Shard, e Expectation) error {
	representation := len(pointKey) + len(s.parameters)
	last := e.First - 1
	for _, b := range shard.tables[Points] {
		for i, point := range b.columns[0].ints {
			if point < e.First || point >= e.End {
				return reject(OutOfRange, "point: got %d, want %d..%d", point, e.First, e.End-1)
			}
			if point <= last {
				return reject(OutOfOrder, "point %d after %d", point, last)
			}
			last = point
			if e.Present != nil && !e.Present(point) {
				return reject(OutOfRange, "point %d is not a point of the sweep", point)
			}
			var id [16]byte
			if text := b.columns[1].text(i); len(text) != 32 {
				return reject(BadText, "point_id %.40q: want 32 hex digits", text)
			} else if _, err := hex.Decode(id[:], text); err != nil {
				return reject(BadText, "point_id %.40q: want 32 hex digits", text)
			}
			status := b.columns[representation+1].text(i)
			if !knownStatus(status) {
				return reject(BadWord, "status %.40q", status)
			}
			if w := b.columns[representation].text(i); !knownRepresentation(w) && string(status) != StatusInvalid {
				return reject(BadWord, "representation %.40q of a point with status %s", w, status)
			}
			shard.ByStatus[string(status)]++
			if detail := b.columns[representation+2].text(i); len(detail) > maxDetail ||
				bytes.ContainsFunc(detail, unprintable) {
				return reject(
					BadText, "detail of point %d is not one printable line of at most %d bytes", point, maxDetail,
				)
			}
			shard.Points++
		}
		for i, c := range s.tables[Points] {
			if c.Unit == "steps" {
				if err := b.columns[i].checkSign(c.Name); err != nil {
					return err
				}
			}
		}
	}
	if want := e.points(); shard.Points != want {
		return reject(BadCount, "got %d points, want %d", shard.Points, want)
	}
	return nil
}

// points returns the expected number of points.
func (e Expectation) points() int64 {
	switch {
	case e.Points >= 0:
		return e.Points
	case e.Present == nil:
		return e.End - e.First
	}
	n := int64(0)
	for i := e.First; i < e.End; i++ {
		if e.Present(i) {
			n++
		}
	}
	return n
}

// checkSign checks that no value is negative.
func (c *column) checkSign(name string) error {
	for i, x := range c.ints {
		if x < 0 && !c.isNull(i) {
			return reject(OutOfRange, "%s: got %d, want at least 0", name, x)
		}
	}
	return nil
}

// checkSteps checks that the rows of trajectories or coefficients are in order of (point, step[,
// group]) and belong to points of the shard.
func (s *Schema) checkSteps(shard *Shard, t Table) error {
	points := shard.pointCursor()
	last := [3]int64{-1, -1, -1}
	for _, b := range shard.tables[t] {
		group := make([]int64, b.rows)
		if t == Coefficients {
			group = b.columns[2].ints
		}
		for i, point := range b.columns[0].ints {
			row := [3]int64{point, b.columns[1].ints[i], group[i]}
			if row[1] < 0 || row[2] < 0 {
				return reject(OutOfRange, "(point, step, group): got %v, want no negative number", row)
			}
			if !less(last, row) {
				return reject(OutOfOrder, "(point, step, group) %v after %v", row, last)
			}
			if point != last[0] && !points.seek(point) {
				return reject(OutOfRange, "point %d has no row in the points table", point)
			}
			last = row
		}
	}
	return nil
}

func less(a, b [3]int64) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// pointCursor iterates over the shard's points in rising order.
type pointCursor struct {
	batches []batch
	row     int
}

func (s *Shard) pointCursor() *pointCursor { return &pointCursor{batches: s.tables[Points]} }

// seek advances to a point and reports whether the shard has it. Calls must be in rising order.
func (c *pointCursor) seek(point int64) bool {
	for len(c.batches) > 0 {
		for ints := c.batches[0].columns[0].ints; c.row < len(ints); c.row++ {
			if ints[c.row] >= point {
				return ints[c.row] == point
			}
		}
		c.batches, c.row = c.batches[1:], 0
	}
	return false
}

func knownStatus(s []byte) bool {
	switch string(s) {
	case StatusOK, StatusDiverged, StatusFailed, StatusInvalid:
		return true
	}
	return false
}

func knownRepresentation(s []byte) bool {
	switch string(s) {
	case "reduced", "subspace", "dense":
		return true
	}
	return false
}
