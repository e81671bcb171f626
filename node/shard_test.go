package node_test

import (
	"bytes"
	"context"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/phasegrid/phasegrid/node"
	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// panicking is a solver that panics at one learning rate.
type panicking struct{ rate float64 }

func (p panicking) Solve(ctx context.Context, problems []solver.Problem, out []solver.Result) error {
	for i := range problems {
		if problems[i].LearningRate == p.rate {
			panic("rate\nis poison")
		}
	}
	return solver.New().Solve(ctx, problems, out)
}

const ratesSweep = `
name: rates
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, steps: 40, anisotropy: 5,
  dimension: 20}
grid:
  optimizer: [gd, specgd]
  learning_rate: [0.01, 0.02, 0.03, 5]
record: {every: 20}
`

func TestPanicOfOnePointIsOneFailedRow(t *testing.T) {
	rows := solveAll(t, ratesSweep, node.Config{Slots: 1, NewSolver: func() node.Solver { return panicking{0.02} }}, 8)
	for i, r := range rows {
		switch {
		case i%4 == 1:
			if r.Status != results.StatusFailed || !strings.Contains(r.Detail, "rate is poison") ||
				!math.IsNaN(r.Loss) ||
				r.StepsRun != -1 {
				t.Errorf("point %d: %+v", i, r)
			}
		case i == 3:
			if r.Status != results.StatusDiverged || r.DivergedStep < 1 || !math.IsNaN(r.TailLoss) {
				t.Errorf("point %d: %+v", i, r)
			}
		case r.Status != results.StatusOK || r.StepsRun != 40:
			t.Errorf("point %d: %+v", i, r)
		}
	}
}

// solveAll runs a sweep as one shard on a node and returns its point rows.
func solveAll(t *testing.T, file string, cfg node.Config, points int64) []results.PointRow {
	t.Helper()
	f := newFake(t, specOf(t, file))
	f.run(cfg)
	f.grant(0, 0, points)
	f.await("the shard", func() bool { return len(f.deliveries) == 1 })
	return pointsOf(t, file, f.deliveries[0])
}

// pointsOf reads a delivery as the coordinator does.
func pointsOf(t *testing.T, file string, d delivered) []results.PointRow {
	t.Helper()
	spec, err := sweep.Parse("sweep.yaml", []byte(file), sweep.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	schema, err := results.SweepSchema(spec, sweep.BuiltinSolver(solver.Version))
	if err != nil {
		t.Fatal(err)
	}
	delivery := results.Delivery{Payload: d.payload, CRC32C: d.header.GetCrc32C()}
	for i, g := range d.header.GetSegments() {
		delivery.Segments = append(
			delivery.Segments,
			results.Segment{Table: results.Table(i), Bytes: g.GetBytes(), Rows: g.GetRows()},
		)
	}
	points := d.header.GetSegments()[0].GetRows()
	source := results.Source{
		Expectation: results.Expectation{First: 0, End: spec.Size(), Points: points},
		Open:        func(context.Context) (results.Delivery, error) { return delivery, nil },
	}
	var parquet bytes.Buffer
	_, err = schema.Merge(t.Context(), []results.Source{source}, nil, func(table results.Table) (io.Writer, error) {
		if table == results.Points {
			return &parquet, nil
		}
		return io.Discard, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := results.NewReader(bytes.NewReader(parquet.Bytes()), int64(parquet.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var rows []results.PointRow
	for row, err := range reader.Points(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

// Values of an axis that are invalid for some points give invalid rows; the other points are
// solved.
func TestInvalidPointIsARow(t *testing.T) {
	const file = `
name: invalid
fixed: {model: population, covariance: spiked, init: identity, init_scale: 0.0123, steps: 40, dimension: 20,
  optimizer: gd}
grid:
  anisotropy: {linspace: {from: 0, to: 10, num: 2000001}}
derive:
  learning_rate: "anisotropy > 4e-6 and anisotropy < 6e-6 ? -1 : 0.01"
`
	rows := solveAll(t, file, node.Config{Slots: 1}, 4)
	for i, r := range rows {
		want := results.StatusOK
		if i == 1 {
			want = results.StatusInvalid
		}
		if r.Status != want || r.Point != int64(i) || (i == 1 && r.Detail == "") {
			t.Errorf("point %d: %+v", i, r)
		}
	}
	if len(rows) != 4 {
		t.Errorf("%d rows", len(rows))
	}
}

// memo has one point, with a loss that no solver computes.
type memo map[[16]byte]results.PointRows

func (m memo) Rows(id [16]byte) (results.PointRows, bool, error) {
	r, ok := m[id]
	return r, ok, nil
}

func TestKnownPointIsNotSolvedAgain(t *testing.T) {
	plain := solveAll(t, ratesSweep, node.Config{Slots: 1}, 8)
	known := results.PointRows{Point: results.PointRow{
		Status:     results.StatusOK,
		RunSummary: results.RunSummary{Metrics: results.Metrics{Loss: 42}, StepsRun: 40},
	}}
	registry := prometheus.NewRegistry()
	cfg := node.Config{Slots: 1, Memo: memo{plain[2].PointID: known}, Metrics: node.NewMetrics(registry)}
	rows := solveAll(t, ratesSweep, cfg, 8)
	for i, r := range rows {
		if (r.Loss == 42) != (i == 2) {
			t.Errorf("point %d has loss %v", i, r.Loss)
		}
		if r.PointID != plain[i].PointID {
			t.Errorf("point %d has another id", i)
		}
	}
	if solved, reused := total(t, registry, "phasegrid_node_points_total"),
		total(t, registry, "phasegrid_node_points_reused_total"); solved != 7 || reused != 1 {
		t.Errorf("metrics: %v points solved and %v reused, want 7 and 1", solved, reused)
	}
}

// total sums a counter over its labels.
func total(t *testing.T, registry *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
