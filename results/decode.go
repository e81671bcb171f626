package results

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
)

// Reason says why a payload was refused: a label of metrics.
type Reason string

const (
	Size     Reason = "size"     // too large, or not the sum of its segments
	Corrupt  Reason = "checksum" // not the bytes that were sent
	Tables   Reason = "tables"   // segments are not the set's tables in order
	Mismatch Reason = "schema"   // columns of another sweep or release
	Frame    Reason = "frame"    // no well-formed Arrow stream
	Null     Reason = "null"     // null in a required column
	Text     Reason = "text"     // overlong, or no UTF-8
	Finite   Reason = "finite"   // NaN or Inf
	Range    Reason = "range"    // a point outside the shard, or a negative number where none may be
	Order    Reason = "order"    // rows out of order, or doubled
	Rows     Reason = "rows"     // row counts that are not the expected ones
	BadWord  Reason = "status"   // unknown status or representation
)

// Refusal is the error of a payload that is not exactly the shard it should be.
type Refusal struct {
	Reason Reason
	Detail string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("results: payload refused (%s): %s", r.Reason, r.Detail)
}

func refuse(reason Reason, format string, args ...any) error {
	return &Refusal{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// Expectation is the shard that a payload must be.
type Expectation struct {
	First, End int64 // unfiltered indices [First, End)
	// Points is the number of points among them; below 0: all of them.
	Points int64
	// Present tells which indices are points, where the caller can tell; nil: any Points of them.
	Present func(index int64) bool
}

// Shard is a decoded payload. It points into the payload's bytes, which must not change while it is
// in use.
type Shard struct {
	Points   int64
	ByStatus map[string]int64
	tables   [numTables][]batch
}

// Decode checks that a delivery is exactly the expected shard and returns its rows. It trusts
// nothing: sizes first, then the checksum, then every length, null count, order, range and number.
// The error is a *Refusal.
func (s *Schema) Decode(d Delivery, e Expectation) (shard *Shard, err error) {
	defer func() {
		// The metadata of an IPC message is a flatbuffer, whose accessors panic outside their
		// slice.
		if r := recover(); r != nil {
			shard, err = nil, refuse(Frame, "unreadable message: %v", r)
		}
	}()
	if err := s.checkSegments(d); err != nil {
		return nil, err
	}
	shard = &Shard{ByStatus: map[string]int64{}}
	payload := d.Payload
	for _, segment := range d.Segments {
		if shard.tables[segment.Table], err = s.decodeTable(segment, payload[:segment.Bytes]); err != nil {
			return nil, fmt.Errorf("%s: %w", segment.Table, err)
		}
		payload = payload[segment.Bytes:]
	}
	if err := s.checkPoints(shard, e); err != nil {
		return nil, fmt.Errorf("points: %w", err)
	}
	for _, t := range s.deliverable()[1:] {
		if err := s.checkSteps(shard, t); err != nil {
			return nil, fmt.Errorf("%s: %w", t, err)
		}
	}
	return shard, nil
}

// ReasonOf is the reason of a refusal, "" for other errors.
func ReasonOf(err error) Reason {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return ""
}

func (s *Schema) checkSegments(d Delivery) error {
	if len(d.Payload) > MaxPayloadBytes {
		return refuse(Size, "%d bytes; at most %d", len(d.Payload), MaxPayloadBytes)
	}
	tables := s.deliverable()
	if len(d.Segments) != len(tables) {
		return refuse(Tables, "%d segments for %d tables", len(d.Segments), len(tables))
	}
	left := int64(len(d.Payload))
	for i, segment := range d.Segments {
		if segment.Table != tables[i] {
			return refuse(Tables, "segment %d is %s; want %s", i, segment.Table, tables[i])
		}
		if segment.Bytes < 0 || segment.Bytes > left || segment.Bytes%8 != 0 || segment.Rows < 0 {
			return refuse(Size, "segment of %d bytes and %d rows with %d bytes left", segment.Bytes, segment.Rows, left)
		}
		left -= segment.Bytes
	}
	if left != 0 {
		return refuse(Size, "%d bytes beyond the segments", left)
	}
	if sum := Checksum(d.Payload); sum != d.CRC32C {
		return refuse(Corrupt, "CRC-32C is %08x; want %08x", sum, d.CRC32C)
	}
	return nil
}

// decodeTable decodes one segment and checks what holds for every table: schema, row count, finite
// numbers.
func (s *Schema) decodeTable(segment Segment, stream []byte) ([]batch, error) {
	columns := s.tables[segment.Table]
	// The schema message is compared, not parsed: nodes and coordinators of one plan write the same
	// one.
	rest, ok := bytes.CutPrefix(stream, s.wire[segment.Table])
	if !ok {
		return nil, refuse(Mismatch, "the stream does not open with the schema of this sweep")
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
		return nil, refuse(Rows, "%d rows in a segment of %d", rows, segment.Rows)
	}
	return batches, nil
}

func (c *column) checkFinite(name string) error {
	const exponent = 0x7ff << 52
	for i, x := range c.floats {
		if math.Float64bits(x)&exponent == exponent && !c.isNull(i) {
			return refuse(Finite, "%s is %v in row %d", name, x, i)
		}
	}
	return nil
}

// checkPoints checks that the points are exactly the expected ones, with known words and
// well-formed ids.
func (s *Schema) checkPoints(shard *Shard, e Expectation) error {
	representation := 2 + len(s.parameters)
	last := e.First - 1
	for _, b := range shard.tables[Points] {
		for i, point := range b.columns[0].ints {
			if point < e.First || point >= e.End {
				return refuse(Range, "point %d is not in [%d, %d)", point, e.First, e.End)
			}
			if point <= last {
				return refuse(Order, "point %d after %d", point, last)
			}
			last = point
			if e.Present != nil && !e.Present(point) {
				return refuse(Range, "point %d is not part of the sweep", point)
			}
			var id [16]byte
			if text := b.columns[1].text(i); len(text) != 32 {
				return refuse(Text, "point_id %q", text)
			} else if _, err := hex.Decode(id[:], text); err != nil {
				return refuse(Text, "point_id %q", text)
			}
			status := b.columns[representation+1].text(i)
			if !knownStatus(status) {
				return refuse(BadWord, "status %.40q", status)
			}
			if w := b.columns[representation].text(i); !knownRepresentation(w) && string(status) != StatusInvalid {
				return refuse(BadWord, "representation %.40q of a point that is %s", w, status)
			}
			shard.ByStatus[string(status)]++
			if detail := b.columns[representation+2].text(i); len(detail) > maxDetail ||
				bytes.ContainsAny(detail, "\r\n") {
				return refuse(Text, "detail of point %d is not one line of at most %d bytes", point, maxDetail)
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
		return refuse(Rows, "%d points; want %d", shard.Points, want)
	}
	return nil
}

// points is the number of points that there must be.
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

func (c *column) checkSign(name string) error {
	for i, x := range c.ints {
		if x < 0 && !c.isNull(i) {
			return refuse(Range, "%s is %d", name, x)
		}
	}
	return nil
}

// checkSteps checks that the rows of trajectories or coefficients rise by (point, step[, group])
// and belong to points.
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
				return refuse(Range, "point %d step %d group %d", row[0], row[1], row[2])
			}
			if !less(last, row) {
				return refuse(Order, "(point, step, group) %v after %v", row, last)
			}
			if point != last[0] && !points.seek(point) {
				return refuse(Range, "point %d has no row in the points table", point)
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

// pointCursor walks the shard's points upwards.
type pointCursor struct {
	batches []batch
	row     int
}

func (s *Shard) pointCursor() *pointCursor { return &pointCursor{batches: s.tables[Points]} }

// seek moves on to the point, and tells whether it is there. Points must be sought in rising order.
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
