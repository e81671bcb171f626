package results_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

var sampleParameters = []results.Column{
	{Name: "model", Kind: results.String},
	{Name: "optimizer", Kind: results.String},
	{Name: "dimension", Kind: results.Int64},
	{Name: "steps", Kind: results.Int64, Unit: "steps"},
	{Name: "anisotropy", Kind: results.Float64, Unit: "1", Doc: "lambda of the spiked covariance"},
	{Name: "spikes", Kind: results.String},
	{Name: "learning_rate", Kind: results.Float64},
	{Name: "nesterov", Kind: results.Bool},
	{Name: "seed", Kind: results.Int64},
}

func sampleSchema(t testing.TB) *results.Schema {
	t.Helper()
	s, err := results.NewSchema(
		sampleParameters,
		results.Options{Solver: sweep.BuiltinSolver(3), Trajectories: true, Coefficients: true},
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// samplePoint depends only on the index, as rows do, and has every kind of null.
func samplePoint(i int64) results.PointRow {
	r := rand.New(rand.NewPCG(7, uint64(i)))
	p := results.PointRow{
		Point: i,
		Parameters: []results.Cell{
			{Text: "population"},
			{Text: [...]string{"gd", "specgd", "muon"}[i%3]},
			{Int: [...]int64{30, 100, 1000}[i/3%3]},
			{Int: 8000},
			{Float: 0.5 * math.Pow(1.01, float64(i/9%500))},
			{Text: "[1,2.5]", Null: i%4 != 0},
			{Float: 0.0207 / (1 + float64(i%9))},
			{Bool: i%2 == 0, Null: i%3 != 2},
			{Null: true},
		},
		Representation: "reduced", Status: results.StatusOK,
		RunSummary: results.RunSummary{
			Metrics: results.Metrics{
				Loss: r.Float64(), SignalAlignment: r.Float64(), SpikeAlignment: r.Float64(),
				BulkAlignment: r.Float64(), SignalEnergy: r.Float64(), WeightNorm2: r.Float64(),
				TopEigenvectorOverlap: r.Float64(), StableRank: 1 + r.Float64(),
			},
			EscapeStep: r.Int64N(500), StepsTo90: r.Int64N(900) - 100, StepsTo99: -1,
			PeakSpikeAlignment: r.Float64(), PeakSpikeStep: r.Int64N(100), DivergedStep: -1, StepsRun: 8000,
			TailSignalAlignment: r.Float64(), TailLoss: r.Float64(),
		},
		UnstableStep: i%5 == 0,
	}
	binary.BigEndian.PutUint64(p.PointID[:], r.Uint64())
	binary.BigEndian.PutUint64(p.PointID[8:], uint64(i))
	switch i % 11 {
	case 3:
		p.Status, p.DivergedStep, p.StepsRun = results.StatusDiverged, 40, 40
		p.TailLoss, p.TailSignalAlignment, p.Loss = math.NaN(), math.NaN(), math.Inf(1)
	case 5:
		p.Status, p.Detail = results.StatusFailed, "svd did not converge\nat step 3"
	case 7:
		p.Status, p.Representation, p.Detail = results.StatusInvalid, "", "dimension must be at least 1"
	}
	return p
}

func sampleTrajectory(i, k int64) results.TrajectoryRow {
	r := rand.New(rand.NewPCG(uint64(k), uint64(i)))
	t := results.TrajectoryRow{Point: i, Step: 7 * k,
		Metrics: results.Metrics{
			Loss: r.Float64(), SignalAlignment: r.Float64(), SpikeAlignment: r.Float64(), BulkAlignment: r.Float64(),
			SignalEnergy: r.Float64(), WeightNorm2: r.Float64(), TopEigenvectorOverlap: r.Float64(),
			StableRank: r.Float64(),
		},
		SignalCoefficient: r.NormFloat64(), SpikeCoefficient: r.NormFloat64(), BulkCoefficient: r.NormFloat64()}
	if i%2 == 0 {
		t.SpikeCoefficient = math.NaN()
	}
	return t
}

// encodeSample builds the delivery of [first, end): three steps per point, two groups per step,
// without the points that skip reports.
func encodeSample(
	t testing.TB,
	s *results.Schema,
	b *results.Builder,
	first, end int64,
	skip func(int64) bool,
) results.Delivery {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	for i := first; i < end; i++ {
		if skip != nil && skip(i) {
			continue
		}
		check(b.AddPoint(samplePoint(i)))
		for k := range int64(3) {
			check(b.AddTrajectory(sampleTrajectory(i, k)))
			for g := range int64(2) {
				check(b.AddCoefficient(results.CoefficientRow{Point: i, Step: 7 * k, Group: g, Multiplicity: 1 + 98*g,
					Eigenvalue: 1 + float64(i%9), Coefficient: float64(i+k) / 8}))
			}
		}
	}
	d, err := b.Encode()
	check(err)
	return d
}

// sources cuts [0, points) into shards of the given size.
func sources(t testing.TB, s *results.Schema, points, shard int64) []results.Source {
	t.Helper()
	b := s.NewBuilder()
	defer b.Release()
	var list []results.Source
	for first := int64(0); first < points; first += shard {
		end := min(first+shard, points)
		d := encodeSample(t, s, b, first, end, nil)
		list = append(list, results.Source{
			Expectation: results.Expectation{First: first, End: end, Points: -1},
			Open:        func(context.Context) (results.Delivery, error) { return d, nil },
		})
	}
	return list
}

// merge returns the merged files by table.
func merge(
	t testing.TB,
	s *results.Schema,
	list []results.Source,
	log []results.ShardRow,
) map[results.Table]*bytes.Buffer {
	t.Helper()
	out := map[results.Table]*bytes.Buffer{}
	files, err := s.Merge(context.Background(), list, log, func(table results.Table) (io.Writer, error) {
		out[table] = new(bytes.Buffer)
		return out[table], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if int64(out[f.Table].Len()) != f.Bytes {
			t.Fatalf("%s: %d bytes written, %d reported", f.Table, out[f.Table].Len(), f.Bytes)
		}
	}
	return out
}
