package results_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

const identitySweep = `
name: identity
fixed:
  {model: population, covariance: spiked, dimension: 50, init_scale: 0.01, steps: 10, learning_rate: 0.0625}
grid:
  anisotropy: {linspace: {from: 0.5, to: 5, num: 100}}
  optimizer: [gd, muon]
replicates: 20
record: none
`

// identified is a sweep and what encodes its rows.
type identified struct {
	t      *testing.T
	spec   *sweep.Spec
	schema *results.Schema
}

func newIdentified(t *testing.T) identified {
	t.Helper()
	spec, err := sweep.Parse("identity.yaml", []byte(identitySweep), sweep.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	schema, err := results.SweepSchema(spec, sweep.BuiltinSolver(4))
	if err != nil {
		t.Fatal(err)
	}
	return identified{t, spec, schema}
}

// encode makes the delivery of the points before end. Forge changes rows.
func (s identified) encode(end int64, forge func(*results.PointRow)) results.Delivery {
	s.t.Helper()
	b := s.schema.NewBuilder()
	defer b.Release()
	for p := range s.spec.Points(0, end) {
		row := results.PointRow{}
		row.Identify(&p, results.SweepParameters(s.spec), sweep.BuiltinSolver(4))
		row.Status, row.RunSummary = results.StatusOK, results.NoRun()
		if forge != nil {
			forge(&row)
		}
		if err := b.AddPoint(row); err != nil {
			s.t.Fatal(err)
		}
	}
	d, err := b.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s identified) decode(end int64, d results.Delivery) error {
	_, err := s.schema.Decode(d, results.Expectation{
		End: end, Points: -1, Identity: results.IdentityOf(s.spec, sweep.BuiltinSolver(4)),
	})
	return err
}

// column returns the number of a parameter's column among the parameters.
func (s identified) column(name string) int {
	for i, c := range s.schema.Parameters() {
		if c.Name == name {
			return i
		}
	}
	s.t.Fatalf("no column %s", name)
	return 0
}

func TestDecodeChecksTheIdentityOfRows(t *testing.T) {
	s := newIdentified(t)
	anisotropy, optimizer, seed := s.column("anisotropy"), s.column("optimizer"), s.column("seed")
	for name, c := range map[string]struct {
		forge func(*results.PointRow)
		names string
	}{
		"point_id":           {func(r *results.PointRow) { r.PointID[15] ^= 1 }, "point_id"},
		"a float":            {func(r *results.PointRow) { ulp(&r.Parameters[anisotropy].Float) }, "anisotropy"},
		"a float left out":   {func(r *results.PointRow) { r.Parameters[anisotropy].Null = true }, "anisotropy"},
		"a word":             {func(r *results.PointRow) { r.Parameters[optimizer].Text = "specgd" }, "optimizer"},
		"a number of a null": {func(r *results.PointRow) { r.Parameters[seed] = results.Cell{Int: 7} }, "seed"},
		"the representation": {func(r *results.PointRow) { r.Representation = "dense" }, "representation"},
	} {
		for _, at := range []int64{0, 500, 1023} {
			err := s.decode(1024, s.encode(1024, func(r *results.PointRow) {
				if r.Point == at {
					c.forge(r)
				}
			}))
			if results.ReasonOf(err) != results.OtherPoint || !strings.Contains(err.Error(), c.names+":") {
				t.Errorf("%s of point %d: got %v, want a rejection that names %s", name, at, err, c.names)
			}
		}
	}
	for _, points := range []int64{1, 1024, 4000} {
		if err := s.decode(points, s.encode(points, nil)); err != nil {
			t.Errorf("%d honest rows: %v", points, err)
		}
	}
}

// TestDecodeDrawsRowsOfLargeDeliveries: of 4,000 rows 64 are checked. One forged row in four is
// missed with probability (3/4)^64 = 1e-8, and a single one is found in about one of 63 deliveries.
func TestDecodeDrawsRowsOfLargeDeliveries(t *testing.T) {
	s := newIdentified(t)
	many := s.encode(4000, func(r *results.PointRow) {
		if r.Point%4 == 3 {
			r.PointID[0] ^= 1
		}
	})
	if err := s.decode(4000, many); results.ReasonOf(err) != results.OtherPoint {
		t.Errorf("a quarter is forged: %v", err)
	}
	one := s.encode(4000, func(r *results.PointRow) {
		if r.Point == 2000 {
			r.PointID[0] ^= 1
		}
	})
	found := 0
	for range 1000 { // 16 are expected; none with probability 1e-7, 60 or more with less
		if s.decode(4000, one) != nil {
			found++
		}
	}
	if found == 0 || found >= 60 {
		t.Errorf("one forged row of 4000 was found in %d of 1000 deliveries", found)
	}
}

func ulp(x *float64) { *x = math.Nextafter(*x, math.Inf(1)) }

// TestDetailsArePrintable: a builder makes details printable, and a delivery with others is
// rejected.
func TestDetailsArePrintable(t *testing.T) {
	s := newIdentified(t)
	detail := func(text string) func(*results.PointRow) {
		return func(r *results.PointRow) { r.Status, r.Detail = results.StatusFailed, text }
	}
	d := s.encode(1, detail("\x1b]0;x\x07red\x1b[2J \u009b \u202e \u2028 done"))
	if err := s.decode(1, d); err != nil || bytes.ContainsAny(d.Payload, "\x1b\u009b\u202e\u2028") {
		t.Errorf("a builder's detail: %v", err)
	}
	for _, control := range []string{"\x1b[2J", "\x00...", "a\nb.", "\u009bxx", "\u202ex", "\x7fxxx"} {
		d := s.encode(1, detail("MARK"))
		if bytes.Count(d.Payload, []byte("MARK")) != 1 || len(control) != 4 {
			t.Fatalf("%q cannot take the place of the mark", control)
		}
		copy(d.Payload[bytes.Index(d.Payload, []byte("MARK")):], control)
		d.CRC32C = results.Checksum(d.Payload)
		if err := s.decode(1, d); results.ReasonOf(err) != results.BadText {
			t.Errorf("detail %q: got %v, want a rejection", control, err)
		}
	}
}

// TestVerifyChecksTheIdentityOfRows: a set whose sweep file is known has the point_ids and the
// parameters of its points, also one of an earlier solver version.
func TestVerifyChecksTheIdentityOfRows(t *testing.T) {
	file, err := os.ReadFile(filepath.Join(version3, results.SweepName))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := sweep.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	report, err := results.Verify(t.Context(), version3, nil, spec)
	if err != nil || !report.OK() || report.Points != 8 {
		t.Fatalf("%+v, %v", report, err)
	}
	f := sampleFolder(t) // whose point_ids and parameters are those of no sweep
	report, err = results.Verify(t.Context(), f.dir, nil, newIdentified(t).spec)
	f.check(err)
	if report.OK() || report.Violations[0].Kind != results.WrongPoint {
		t.Errorf("rows of another sweep: %v", report.Violations)
	}
}

// BenchmarkIdentity: what the check of 1,024 rows adds to decoding them.
func BenchmarkIdentity(b *testing.B) {
	s := newIdentified(&testing.T{})
	d := s.encode(1024, nil)
	for b.Loop() {
		if err := s.decode(1024, d); err != nil {
			b.Fatal(err)
		}
	}
}
