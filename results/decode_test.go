package results_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/phasegrid/phasegrid/results"
)

func sampleDelivery(t testing.TB, s *results.Schema, first, end int64, skip func(int64) bool) results.Delivery {
	b := s.NewBuilder()
	defer b.Release()
	return encodeSample(t, s, b, first, end, skip)
}

func clone(d results.Delivery) results.Delivery {
	d.Payload = bytes.Clone(d.Payload)
	d.Segments = append([]results.Segment(nil), d.Segments...)
	return d
}

func TestDecodeCountsByStatus(t *testing.T) {
	s := sampleSchema(t)
	shard, err := s.Decode(sampleDelivery(t, s, 0, 22, nil), results.Expectation{End: 22, Points: -1})
	if err != nil {
		t.Fatal(err)
	}
	if shard.Points != 22 || shard.ByStatus["ok"] != 16 || shard.ByStatus["diverged"] != 2 ||
		shard.ByStatus["failed"] != 2 ||
		shard.ByStatus["invalid"] != 2 {
		t.Errorf("%d points, %v", shard.Points, shard.ByStatus)
	}
}

func TestDecodeAcceptsOnlyTheExpectedShard(t *testing.T) {
	s := sampleSchema(t)
	odd := func(i int64) bool { return i%2 == 1 }
	whole, gaps := sampleDelivery(t, s, 10, 20, nil), sampleDelivery(t, s, 10, 20, odd)
	even := func(i int64) bool { return i%2 == 0 }
	for _, c := range []struct {
		name     string
		delivery results.Delivery
		expect   results.Expectation
		reason   results.Reason
	}{
		{"whole", whole, results.Expectation{First: 10, End: 20, Points: -1}, ""},
		{"gaps counted", gaps, results.Expectation{First: 10, End: 20, Points: 5}, ""},
		{"gaps known", gaps, results.Expectation{First: 10, End: 20, Points: -1, Present: even}, ""},
		{"too few", gaps, results.Expectation{First: 10, End: 20, Points: -1}, results.BadCount},
		{"too many", whole, results.Expectation{First: 10, End: 20, Points: 5}, results.BadCount},
		{"other gaps", gaps, results.Expectation{First: 10, End: 20, Points: -1, Present: odd}, results.OutOfRange},
		{"before", whole, results.Expectation{First: 11, End: 20, Points: 9}, results.OutOfRange},
		{"after", whole, results.Expectation{First: 10, End: 19, Points: 9}, results.OutOfRange},
		{"empty", sampleDelivery(t, s, 0, 0, nil), results.Expectation{First: 10, End: 20, Points: 0}, ""},
	} {
		if _, err := s.Decode(c.delivery, c.expect); results.ReasonOf(err) != c.reason ||
			(err == nil) != (c.reason == "") {
			t.Errorf("%s: %v; want reason %q", c.name, err, c.reason)
		}
	}
}

func TestDecodeRejectsForgedEnvelopes(t *testing.T) {
	s := sampleSchema(t)
	good := sampleDelivery(t, s, 0, 50, nil)
	move := func(d *results.Delivery, bytes int64) { // from the first segment to the second
		d.Segments[0].Bytes -= bytes
		d.Segments[1].Bytes += bytes
	}
	for name, c := range map[string]struct {
		forge  func(*results.Delivery)
		reason results.Reason
	}{
		"flipped bit":    {func(d *results.Delivery) { d.Payload[99] ^= 8 }, results.Corrupt},
		"other checksum": {func(d *results.Delivery) { d.CRC32C++ }, results.Corrupt},
		"truncated":      {func(d *results.Delivery) { d.Payload = d.Payload[:len(d.Payload)-8] }, results.BadSize},
		"longer":         {func(d *results.Delivery) { d.Payload = append(d.Payload, 0) }, results.BadSize},
		"no segments":    {func(d *results.Delivery) { d.Segments = nil }, results.BadTables},
		"swapped segments": {func(d *results.Delivery) {
			d.Segments[0], d.Segments[1] = d.Segments[1], d.Segments[0]
		}, results.BadTables},
		"shards table":     {func(d *results.Delivery) { d.Segments[1].Table = results.Shards }, results.BadTables},
		"unknown table":    {func(d *results.Delivery) { d.Segments[1].Table = 200 }, results.BadTables},
		"negative size":    {func(d *results.Delivery) { d.Segments[0].Bytes = -8 }, results.BadSize},
		"huge size":        {func(d *results.Delivery) { d.Segments[0].Bytes = math.MaxInt64 &^ 7 }, results.BadSize},
		"negative rows":    {func(d *results.Delivery) { d.Segments[0].Rows = -1 }, results.BadSize},
		"other rows":       {func(d *results.Delivery) { d.Segments[0].Rows++ }, results.BadCount},
		"shifted segments": {func(d *results.Delivery) { move(d, 8) }, results.Malformed},
		"misaligned":       {func(d *results.Delivery) { move(d, 4) }, results.BadSize},
		"rows and checksum": {func(d *results.Delivery) {
			d.Payload, d.CRC32C, d.Segments = nil, 0, d.Segments[:0]
		}, results.BadTables},
	} {
		d := clone(good)
		c.forge(&d)
		if _, err := s.Decode(d, results.Expectation{End: 50, Points: -1}); results.ReasonOf(err) != c.reason {
			t.Errorf("%s: %v; want reason %s", name, err, c.reason)
		}
	}
	other, err := results.NewSchema(sampleParameters[1:], s.Options())
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.Decode(good, results.Expectation{End: 50, Points: -1})
	if results.ReasonOf(err) != results.OtherSchema {
		t.Errorf("columns of another sweep: %v", err)
	}
}

// forgedRows are columns of the points table.
type forgedRows struct {
	points                                  []int64
	ids, representations, statuses, details []string // nil: null
	loss                                    []float64
	options                                 []ipc.Option
}

// encode encodes the rows with Arrow's own writer, for a schema that has points only.
func (r forgedRows) encode(t *testing.T) (*results.Schema, results.Delivery) {
	t.Helper()
	s, err := results.NewSchema(nil, results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var fields []arrow.Field
	for _, c := range s.Columns(results.Points) {
		types := map[results.Kind]arrow.DataType{
			results.Int64:   arrow.PrimitiveTypes.Int64,
			results.Float64: arrow.PrimitiveTypes.Float64,
			results.String:  arrow.BinaryTypes.String,
			results.Bool:    arrow.FixedWidthTypes.Boolean,
		}
		fields = append(fields, arrow.Field{Name: c.Name, Type: types[c.Kind], Nullable: c.Nullable})
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range r.points {
		b.Field(0).(*array.Int64Builder).Append(r.points[i])
		for j, column := range [][]string{r.ids, r.representations, r.statuses, r.details} {
			if column == nil {
				b.Field(1 + j).AppendNull()
			} else {
				b.Field(1 + j).(*array.StringBuilder).Append(column[i])
			}
		}
		b.Field(5).(*array.Float64Builder).Append(r.loss[i])
		for j := 6; j < len(fields); j++ {
			switch f := b.Field(j).(type) {
			case *array.BooleanBuilder:
				f.Append(true)
			case *array.Int64Builder:
				f.Append(-r.points[i])
			default:
				f.AppendNull()
			}
		}
	}
	record := b.NewRecord()
	defer record.Release()
	var stream bytes.Buffer
	w := ipc.NewWriter(&stream, append(r.options, ipc.WithSchema(schema))...)
	if err := w.Write(record); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return s, results.Delivery{Segments: []results.Segment{{Bytes: int64(stream.Len()), Rows: int64(len(r.points))}},
		Payload: stream.Bytes(), CRC32C: results.Checksum(stream.Bytes())}
}

func TestDecodeRejectsForgedRows(t *testing.T) {
	const id = "00112233445566778899aabbccddeeff"
	good := func() *forgedRows {
		return &forgedRows{
			points:          []int64{0, 0},
			ids:             []string{id, id},
			representations: []string{"dense", "dense"},
			statuses:        []string{"ok", "ok"},
			details:         []string{"", ""},
			loss:            []float64{1, 2},
		}
	}
	for name, c := range map[string]struct {
		forge  func(*forgedRows)
		reason results.Reason
	}{
		"duplicate":      {func(*forgedRows) {}, results.OutOfOrder},
		"descending":     {func(r *forgedRows) { r.points[0] = 1 }, results.OutOfOrder},
		"negative steps": {func(r *forgedRows) { r.points[1] = 1 }, results.OutOfRange},
		"foreign":        {func(r *forgedRows) { r.points[1] = 2 }, results.OutOfRange},
		"nan":            {func(r *forgedRows) { r.loss[1] = math.NaN() }, results.Infinite},
		"inf":            {func(r *forgedRows) { r.loss[0] = math.Inf(-1) }, results.Infinite},
		"status":         {func(r *forgedRows) { r.statuses[0] = "fine" }, results.BadWord},
		"reduced":        {func(r *forgedRows) { r.representations[0] = "" }, results.BadWord},
		"id":             {func(r *forgedRows) { r.ids[0] = "x" + id[1:] }, results.BadText},
		"short id":       {func(r *forgedRows) { r.ids[0] = "00" }, results.BadText},
		"lines":          {func(r *forgedRows) { r.details[0] = "a\nb" }, results.BadText},
		"no utf-8":       {func(r *forgedRows) { r.details[1] = "\xff" }, results.BadText},
		"compressed": {func(r *forgedRows) {
			r.points[1], r.options = 1, []ipc.Option{ipc.WithZstd()}
		}, results.Malformed},
		"null ids": {func(r *forgedRows) { r.points[1], r.ids = 1, nil }, results.Null},
	} {
		rows := good()
		c.forge(rows)
		s, d := rows.encode(t)
		if _, err := s.Decode(d, results.Expectation{End: 2, Points: -1}); results.ReasonOf(err) != c.reason {
			t.Errorf("%s: %v; want reason %s", name, err, c.reason)
		}
	}
}

// Every single-bit flip under a recomputed checksum is decoded to rows or rejected with a reason:
// there is no panic, and no allocation depends on an unchecked number.
func TestDecodeSurvivesEveryFlip(t *testing.T) {
	s := sampleSchema(t)
	good := sampleDelivery(t, s, 0, 1, nil)
	accepted := 0
	for i := range len(good.Payload) * 8 {
		d := clone(good)
		d.Payload[i/8] ^= 1 << (i % 8)
		d.CRC32C = results.Checksum(d.Payload)
		_, err := s.Decode(d, results.Expectation{End: 1, Points: -1})
		switch {
		case err == nil:
			accepted++
		case results.ReasonOf(err) == "":
			t.Fatalf("bit %d: an error without a reason: %v", i, err)
		}
	}
	if accepted == 0 || accepted == len(good.Payload)*8 {
		t.Errorf("%d of %d flips accepted", accepted, len(good.Payload)*8)
	}
}

func TestDecodeSurvivesHugeNumbers(t *testing.T) {
	s := sampleSchema(t)
	good := sampleDelivery(t, s, 0, 3, nil)
	r := rand.New(rand.NewPCG(3, 4))
	for range 5_000 {
		d := clone(good)
		for range 1 + r.IntN(3) {
			at := r.IntN(len(d.Payload) - 8)
			value := [...]uint64{0, 1, math.MaxUint64, 1 << 31, 1<<31 - 1, 1 << 35, 1<<63 - 8, r.Uint64()}[r.IntN(8)]
			if r.IntN(2) == 0 {
				binary.LittleEndian.PutUint32(d.Payload[at&^3:], uint32(value))
			} else {
				binary.LittleEndian.PutUint64(d.Payload[at&^7:], value)
			}
		}
		d.CRC32C = results.Checksum(d.Payload)
		if _, err := s.Decode(d, results.Expectation{End: 3, Points: -1}); err != nil && results.ReasonOf(err) == "" {
			t.Fatalf("an error without a reason: %v", err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	s, err := results.NewSchema(sampleParameters, results.Options{Trajectories: true})
	if err != nil {
		f.Fatal(err)
	}
	b := s.NewBuilder()
	for i := range int64(3) {
		if err := b.AddPoint(samplePoint(i)); err != nil {
			f.Fatal(err)
		}
		if err := b.AddTrajectory(sampleTrajectory(i, 0)); err != nil {
			f.Fatal(err)
		}
	}
	d, err := b.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(d.Payload, d.Segments[0].Bytes, d.Segments[0].Rows, d.Segments[1].Rows)
	f.Fuzz(func(t *testing.T, payload []byte, cut, points, steps int64) {
		d := results.Delivery{Payload: payload, CRC32C: results.Checksum(payload), Segments: []results.Segment{
			{
				Table: results.Points,
				Bytes: cut,
				Rows:  points,
			}, {Table: results.Trajectories, Bytes: int64(len(payload)) - cut, Rows: steps}}}
		if _, err := s.Decode(d, results.Expectation{End: 3, Points: -1}); err != nil && results.ReasonOf(err) == "" {
			t.Errorf("an error without a reason: %v", err)
		}
	})
}
