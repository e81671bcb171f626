package results_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/views"
)

// folder writes a result set as a coordinator would.
type folder struct {
	t        testing.TB
	dir      string
	schema   *results.Schema
	manifest results.Manifest
}

func newFolder(t testing.TB, s *results.Schema) *folder {
	f := &folder{t: t, dir: t.TempDir(), schema: s, manifest: results.Manifest{
		Sweep: "0123456789abcdef0123456789abcdef", Name: "sample",
		Solver: s.Options().Solver, PlanVersion: 1,
		PointsByStatus: map[string]int64{}}}
	statements, err := views.SQL(s, "")
	f.check(err)
	f.write(results.ViewsName, []byte(statements))
	f.write(results.SweepName, []byte("name: sample\n"))
	for _, table := range s.Tables() {
		f.file(results.EmptyName(table), func(w io.Writer) results.File {
			file, err := s.WriteEmpty(table, w)
			f.check(err)
			return file
		})
	}
	return f
}

func (f *folder) check(err error) {
	if err != nil {
		f.t.Helper()
		f.t.Fatal(err)
	}
}

func (f *folder) write(name string, data []byte) {
	path := filepath.Join(f.dir, filepath.FromSlash(name))
	f.check(os.MkdirAll(filepath.Dir(path), 0o755))
	f.check(os.WriteFile(path, data, 0o644))
}

func (f *folder) file(name string, write func(io.Writer) results.File) {
	path := filepath.Join(f.dir, filepath.FromSlash(name))
	f.check(os.MkdirAll(filepath.Dir(path), 0o755))
	out, err := os.Create(path)
	f.check(err)
	defer out.Close()
	f.manifest.Files = append(f.manifest.Files, write(out).Entry(name))
}

// part merges sources as the next part; they must hold every index.
func (f *folder) part(list []results.Source) {
	number := int64(len(f.manifest.Parts))
	var log []results.ShardRow
	r := results.IndexRange{First: list[0].Expectation.First, End: list[len(list)-1].Expectation.End}
	for i, source := range list {
		log = append(
			log,
			results.ShardRow{
				Shard:  number*1000 + int64(i),
				First:  source.Expectation.First,
				End:    source.Expectation.End,
				Points: source.Expectation.End - source.Expectation.First,
				Node:   "n1",
			},
		)
		d, err := source.Open(context.Background())
		f.check(err)
		shard, err := f.schema.Decode(d, source.Expectation)
		f.check(err)
		for status, n := range shard.ByStatus {
			f.manifest.PointsByStatus[status] += n
		}
	}
	outs := map[results.Table]*os.File{}
	files, err := f.schema.Merge(context.Background(), list, log, func(table results.Table) (io.Writer, error) {
		out, err := os.Create(filepath.Join(f.dir, filepath.FromSlash(results.PartName(table, number))))
		outs[table] = out
		return out, err
	})
	f.check(err)
	for _, file := range files {
		f.check(results.Check(outs[file.Table], file.Bytes, file))
		f.check(outs[file.Table].Close())
		f.manifest.Files = append(f.manifest.Files, file.Entry(results.PartName(file.Table, number)))
	}
	f.manifest.Parts = append(f.manifest.Parts, results.Part{IndexRange: r, Points: r.End - r.First})
	f.manifest.Indices = r.End
}

func (f *folder) finish() {
	data, err := f.manifest.Encode()
	f.check(err)
	f.write(results.ManifestName, data)
}

// sampleFolder is a finished set of 900 points in three parts.
func sampleFolder(t testing.TB) *folder {
	s := sampleSchema(t)
	f := newFolder(t, s)
	list := sources(t, s, 900, 100)
	f.part(list[:3])
	f.part(list[3:7])
	f.part(list[7:])
	f.finish()
	return f
}
