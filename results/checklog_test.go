package results_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// TestCheckLog: a shards file counts as another one if it has the same schema and the same shards,
// whoever computed them and when.
func TestCheckLog(t *testing.T) {
	s := sampleSchema(t)
	log := []results.ShardRow{
		{Shard: 0, End: 400, Points: 400, Node: "a", Solver: "phasegrid 3"},
		{Shard: 1, First: 400, End: 700, Points: 300, Node: "b", Attempts: 2, Solver: "phasegrid 3"},
	}
	other, err := results.NewSchema(sampleParameters,
		results.Options{Solver: sweep.BuiltinSolver(4), Trajectories: true, Coefficients: true})
	if err != nil {
		t.Fatal(err)
	}
	file := func(s *results.Schema, table results.Table, log []results.ShardRow) []byte {
		return merge(t, s, sources(t, s, 700, 400), log)[table].Bytes()
	}
	changed := func(change func(*results.ShardRow)) []byte {
		rows := slices.Clone(log)
		change(&rows[1])
		return file(s, results.Shards, rows)
	}
	for name, c := range map[string]struct {
		data []byte
		same bool
	}{
		"itself":         {file(s, results.Shards, log), true},
		"another node":   {changed(func(r *results.ShardRow) { r.Node, r.Attempts, r.Started = "c", 1, 7 }), true},
		"another end":    {changed(func(r *results.ShardRow) { r.End++ }), false},
		"another first":  {changed(func(r *results.ShardRow) { r.First++ }), false},
		"other points":   {changed(func(r *results.ShardRow) { r.Points-- }), false},
		"another shard":  {changed(func(r *results.ShardRow) { r.Shard++ }), false},
		"a row less":     {file(s, results.Shards, log[:1]), false},
		"a row more":     {file(s, results.Shards, append(log[:2:2], results.ShardRow{Shard: 2, First: 700})), false},
		"another solver": {file(other, results.Shards, log), false},
		"another table":  {file(s, results.Points, log), false},
		"too large":      {make([]byte, 2<<20), false},
		"nothing":        {nil, false},
	} {
		err := s.CheckLog(t.Context(), bytes.NewReader(c.data), int64(len(c.data)), log)
		if (err == nil) != c.same {
			t.Errorf("%s: %v", name, err)
		}
	}
}
