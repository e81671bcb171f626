package results_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/phasegrid/phasegrid/results"
)

func TestBuilderReleasesItsMemory(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	s := sampleSchema(t)
	b := s.NewBuilderWith(mem)
	defer b.Release()
	encodeSample(t, s, b, 0, 9000, nil)
	encodeSample(t, s, b, 9000, 9100, nil)
	p := samplePoint(1)
	p.Parameters = nil
	if b.AddPoint(p) == nil {
		t.Error("a row without parameters was accepted")
	}
	if err := b.AddPoint(samplePoint(9100)); err != nil {
		t.Error(err)
	}
}

func TestBuilderIsEmptyAfterEncode(t *testing.T) {
	s := sampleSchema(t)
	b := s.NewBuilder()
	defer b.Release()
	first := encodeSample(t, s, b, 100, 300, nil)
	encodeSample(t, s, b, 0, 100, nil)
	again := encodeSample(t, s, b, 100, 300, nil)
	if first.CRC32C != again.CRC32C || !bytes.Equal(first.Payload, again.Payload) {
		t.Error("a reused builder encodes other bytes")
	}
}

// The payload is plain Arrow: the reader of the library decodes the same rows.
func TestPayloadIsArrow(t *testing.T) {
	s := sampleSchema(t)
	b := s.NewBuilder()
	defer b.Release()
	d := encodeSample(t, s, b, 0, 10_000, nil)
	payload := d.Payload
	for _, segment := range d.Segments {
		r, err := ipc.NewReader(bytes.NewReader(payload[:segment.Bytes]))
		if err != nil {
			t.Fatal(err)
		}
		rows := int64(0)
		for r.Next() {
			rows += r.Record().NumRows()
		}
		if r.Err() != nil || rows != segment.Rows || r.Schema().NumFields() != len(s.Columns(segment.Table)) {
			t.Errorf("%s: %d rows of %d, error %v", segment.Table, rows, segment.Rows, r.Err())
		}
		r.Release()
		payload = payload[segment.Bytes:]
	}
}

func TestBuilderRejectsBadRows(t *testing.T) {
	s := sampleSchema(t)
	b := s.NewBuilder()
	defer b.Release()
	if err := b.AddCoefficient(results.CoefficientRow{Eigenvalue: math.NaN()}); err == nil ||
		!strings.Contains(err.Error(), "eigenvalue") {
		t.Errorf("a required number that is not finite: %v", err)
	}
	if _, err := b.Encode(); err == nil {
		t.Error("a builder with an error encoded")
	}
	if d, err := b.Encode(); err != nil || d.Segments[2].Rows != 0 {
		t.Errorf("the builder did not recover: %v", err)
	}
	p := samplePoint(0)
	p.Parameters[5] = results.Cell{Text: strings.Repeat("x", 2<<20)}
	if b.AddPoint(p) == nil {
		t.Error("2 MiB of text in a cell were taken")
	}
	b.Encode()
	p = samplePoint(0)
	p.Detail = "one\ntwo \xff" + strings.Repeat("é", 5000)
	if err := b.AddPoint(p); err != nil {
		t.Error(err)
	}
	d, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Decode(d, results.Expectation{End: 1, Points: -1}); err != nil {
		t.Errorf("a long detail: %v", err)
	}

	bare, err := results.NewSchema(nil, results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	none := bare.NewBuilder()
	defer none.Release()
	if none.AddTrajectory(results.TrajectoryRow{}) == nil || none.AddCoefficient(results.CoefficientRow{}) == nil {
		t.Error("rows of tables that the set does not have were taken")
	}
}

func TestBuilderBoundsItsMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("fills a payload of 256 MiB")
	}
	s := sampleSchema(t)
	b := s.NewBuilder()
	defer b.Release()
	var err error
	rows := 0
	for err == nil && rows < 10_000_000 {
		err = b.AddTrajectory(results.TrajectoryRow{Step: int64(rows)})
		rows++
	}
	if !errors.Is(err, results.ErrTooLarge) {
		t.Errorf("%d rows: %v", rows, err)
	}
}

func TestSchemaRejectsNames(t *testing.T) {
	for _, name := range []string{"loss", "representation", "point", "", "A", "x y", `x"`, strings.Repeat("x", 64)} {
		if _, err := results.NewSchema([]results.Column{{Name: name}}, results.Options{}); err == nil {
			t.Errorf("a parameter named %q", name)
		}
	}
	if _, err := results.NewSchema([]results.Column{{Name: "a"}, {Name: "a"}}, results.Options{}); err == nil {
		t.Error("two parameters of one name")
	}
	if _, err := results.NewSchema([]results.Column{{Name: "a", Kind: results.Time}}, results.Options{}); err == nil {
		t.Error("a time as parameter")
	}
}
