package results_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
)

// verify returns the violations as "file: kind".
func verify(t *testing.T, f *folder, present func(int64) bool) []string {
	t.Helper()
	report, err := results.Verify(context.Background(), f.dir, present, nil)
	f.check(err)
	var found []string
	for _, v := range report.Violations {
		found = append(found, strings.TrimPrefix(fmt.Sprintf("%s: %s", v.File, v.Kind), ": "))
	}
	return found
}

func TestVerifyAcceptsMergedSets(t *testing.T) {
	f := sampleFolder(t)
	report, err := results.Verify(context.Background(), f.dir, nil, nil)
	f.check(err)
	if !report.OK() || !report.Finished || report.Points != 900 {
		t.Errorf("%+v", report)
	}
	f.check(os.Remove(filepath.Join(f.dir, results.ManifestName)))
	report, err = results.Verify(context.Background(), f.dir, nil, nil)
	if err != nil || !report.OK() || report.Finished {
		t.Errorf("unfinished: %+v, %v", report, err)
	}
	f.write(results.ManifestName, []byte("{"))
	if got := verify(t, f, nil); !slices.Equal(got, []string{"manifest.json: manifest"}) {
		t.Errorf("a broken manifest: %q", got)
	}
	if _, err := results.Verify(context.Background(), t.TempDir(), nil, nil); !errors.Is(err, results.ErrNoSet) {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestVerifyFindsForeignFiles(t *testing.T) {
	f := sampleFolder(t)
	part := filepath.Join(f.dir, "points", "part-000001.parquet")
	data, err := os.ReadFile(part)
	f.check(err)
	f.write("points/part-000003.parquet", data)
	f.write("points/half.parquet", data[:100])
	f.write("notes.txt", nil)
	f.check(os.Remove(filepath.Join(f.dir, "trajectories", "part-000002.parquet")))
	data[len(data)/2] ^= 1
	f.write("points/part-000001.parquet", data)
	want := []string{
		"notes.txt: foreign file",
		"points/half.parquet: foreign file",
		"points/part-000001.parquet: checksum",
		"points/part-000003.parquet: foreign file",
		"trajectories/part-000002.parquet: missing file",
	}
	got := verify(t, f, nil)
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("not found: %s", w)
		}
	}
	if len(got) != len(want)+4 { // and the points of the broken part are missing from the four totals by status
		t.Errorf("found %q", got)
	}
}

// spoil rewrites a table of a one-part set of 300 points with one cell changed, and makes the
// manifest agree.
func spoil(t *testing.T, table results.Table, column string, row int, x float64) *folder {
	s := sampleSchema(t)
	f := newFolder(t, s)
	list := sources(t, s, 300, 300)
	f.part(list)
	d, err := list[0].Open(context.Background())
	f.check(err)
	name := results.PartName(table, 0)
	f.manifest.Files = slices.DeleteFunc(f.manifest.Files, func(m results.ManifestFile) bool { return m.Path == name })
	f.file(name, func(w io.Writer) results.File {
		file, err := s.WriteSpoiled(d, table, w, column, row, x)
		f.check(err)
		return file
	})
	f.finish()
	return f
}

func TestVerifyFindsBadRows(t *testing.T) {
	points, steps, groups := results.PartName(
		results.Points,
		0,
	), results.PartName(
		results.Trajectories,
		0,
	), results.PartName(
		results.Coefficients,
		0,
	)
	for name, c := range map[string]struct {
		folder *folder
		want   []string
	}{
		"nan": {spoil(t, results.Points, "weight_norm2", 7, math.NaN()), []string{points + ": not finite"}},
		"inf": {spoil(t, results.Trajectories, "loss", 7, math.Inf(1)), []string{steps + ": not finite"}},
		"duplicate point": {spoil(t, results.Points, "point", 8, 7), []string{points + ": duplicate row",
			points + ": missing point", points + ": manifest", steps + ": foreign point", groups + ": foreign point"}},
		"descending point": {spoil(t, results.Points, "point", 8, 3), []string{points + ": wrong order",
			points + ": missing point", points + ": manifest", steps + ": foreign point", groups + ": foreign point"}},
		"duplicate step":  {spoil(t, results.Trajectories, "step", 4, 0), []string{steps + ": duplicate row"}},
		"earlier step":    {spoil(t, results.Trajectories, "step", 5, 3), []string{steps + ": wrong order"}},
		"unknown point":   {spoil(t, results.Trajectories, "point", 899, 300), []string{steps + ": foreign point"}},
		"duplicate group": {spoil(t, results.Coefficients, "group", 1, 0), []string{groups + ": duplicate row"}},
	} {
		if got := verify(t, c.folder, nil); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
}

func TestVerifyAllowsGapsAndQuarantine(t *testing.T) {
	s := sampleSchema(t)
	f := newFolder(t, s)
	list := sources(t, s, 300, 100)
	f.part([]results.Source{list[0], list[2]})
	f.manifest.Parts[0].Points = 200
	f.manifest.Missing = []results.IndexRange{{First: 100, End: 200}}
	f.finish()
	if got := verify(t, f, nil); len(got) > 0 {
		t.Errorf("a quarantined shard: %q", got)
	}
	f.manifest.Missing = nil
	f.finish()
	if got := verify(t, f, nil); len(got) > 0 {
		t.Errorf("a part with gaps where points are not known: %q", got)
	}
	if got := verify(t, f, func(int64) bool { return true }); !slices.Equal(
		got,
		[]string{results.PartName(results.Points, 0) + ": missing point"},
	) {
		t.Errorf("missing points: %q", got)
	}
	if got := verify(t, f, func(i int64) bool { return i < 100 || i >= 200 }); len(got) > 0 {
		t.Errorf("a gap by where: %q", got)
	}
	if got := verify(t, f, func(i int64) bool { return i < 99 || i >= 200 }); !slices.Equal(
		got,
		[]string{
			results.PartName(results.Points, 0) + ": foreign point",
			results.PartName(results.Points, 0) + ": manifest",
		},
	) {
		t.Errorf("a point that where excludes: %q", got)
	}
}

func TestVerifyFindsOverlappingParts(t *testing.T) {
	s := sampleSchema(t)
	f := newFolder(t, s)
	list := sources(t, s, 200, 100)
	f.part(list[:1])
	f.part(list[:1])
	got := verify(t, f, nil)
	if len(got) != 100 ||
		got[0] != results.PartName(results.Points, 1)+": wrong order" &&
			got[0] != results.PartName(results.Points, 1)+": duplicate row" {
		t.Errorf("%d violations, first %q", len(got), got[:1])
	}
}

func TestParseManifestRejectsBadManifests(t *testing.T) {
	f := sampleFolder(t)
	good, err := f.manifest.Encode()
	f.check(err)
	if _, err := results.ParseManifest(good); err != nil {
		t.Fatal(err)
	}
	for _, edit := range [][2]string{
		{`"format": 2`, `"format": 3`},
		{`points/part-000000.parquet`, `../part-000000.parquet`},
		{`points/part-000000.parquet`, `/etc/passwd`},
		{`points/part-000000.parquet`, `points/part-000001.parquet`},
		{`"first": 300`, `"first": 301`},
		{`"indices": 900`, `"indices": 901`},
		{`"points": 400`, `"points": 401`},
		{`{`, `[`},
	} {
		bad := strings.Replace(string(good), edit[0], edit[1], 1)
		if _, err := results.ParseManifest([]byte(bad)); bad == string(good) || err == nil {
			t.Errorf("%s for %s was accepted", edit[1], edit[0])
		}
	}
}
