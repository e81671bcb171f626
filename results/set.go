package results

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// Set reads a result set in a local folder, finished or not.
type Set struct {
	dir      string
	schema   *Schema
	manifest *Manifest
}

// errNoSet is the error for a folder that is not a result set.
var errNoSet = errors.New("not a result set: points/schema.parquet is missing")

// OpenSet opens the result set in a folder.
func OpenSet(dir string) (*Set, error) {
	schema, err := readSchema(dir)
	if err != nil {
		return nil, err
	}
	manifest, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	return &Set{dir: dir, schema: schema, manifest: manifest}, nil
}

// readSchema reads the schema of a set from its files without rows.
func readSchema(dir string) (*Schema, error) {
	points, err := openFile(filepath.Join(dir, filepath.FromSlash(EmptyName(Points))))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("results: open %s: %w", dir, errNoSet)
	}
	if err != nil {
		return nil, err
	}
	defer points.Close()
	has := func(t Table) bool {
		_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(EmptyName(t))))
		return err == nil
	}
	columns := points.Columns()
	parameters := parametersOf(columns)
	if fixed := without(columns, parameters); !leads(columnsOf(join(pointKey, outcomeFields)), fixed) {
		return nil, fmt.Errorf("results: open %s: got columns %s, want those of a points table",
			points.path, namesOf(columns))
	}
	s, err := NewSchema(
		parameters,
		Options{
			Solver:       points.Solver(),
			Trajectories: has(Trajectories),
			Coefficients: has(Coefficients),
		},
	)
	if err != nil {
		return nil, err
	}
	for _, t := range s.Tables() {
		if err := s.adopt(t, dir); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// adopt replaces the columns of a table by those that the set's files have: sets of earlier
// releases have fewer, and other descriptions.
func (s *Schema) adopt(t Table, dir string) error {
	f, err := openFile(filepath.Join(dir, filepath.FromSlash(EmptyName(t))))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	known := withRetired(t, s.tables[t])
	for _, c := range f.Columns() {
		at := slices.IndexFunc(known, func(k Column) bool { return k.Name == c.Name })
		if at < 0 || known[at].Kind != c.Kind {
			return fmt.Errorf("results: open %s: column %s is unknown to this release or follows another one; "+
				"use the release that wrote the set", f.path, c.Name)
		}
		known = known[at+1:]
	}
	s.missing[t], s.tables[t] = without(s.tables[t], f.Columns()), f.Columns()
	return nil
}

// leads reports whether the first columns have the names of others.
func leads(first, columns []Column) bool {
	return len(columns) >= len(first) && slices.Equal(namesOf(first), namesOf(columns[:len(first)]))
}

func namesOf(columns []Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

// without returns the columns that are not among others.
func without(columns, others []Column) []Column {
	return slices.DeleteFunc(slices.Clone(columns), func(c Column) bool {
		return slices.ContainsFunc(others, func(o Column) bool { return o.Name == c.Name })
	})
}

// readManifest returns nil if there is no manifest.
func readManifest(dir string) (*Manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("results: %w", err)
	}
	m, err := ParseManifest(data)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// Schema returns the schema of the set's files.
func (s *Set) Schema() *Schema { return s.schema }

// Dir returns the set's folder.
func (s *Set) Dir() string { return s.dir }

// Manifest returns nil until the sweep is done. It must not be changed.
func (s *Set) Manifest() *Manifest { return s.manifest }

var partFile = regexp.MustCompile(`^part-(\d{6,})\.parquet$`)

// Parts returns the numbers of the parts of a table that exist, in order.
func (s *Set) Parts(t Table) ([]int64, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, t.String()))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("results: list parts: %w", err)
	}
	var parts []int64
	for _, e := range entries {
		if m := partFile.FindStringSubmatch(e.Name()); m != nil {
			n, err := strconv.ParseInt(m[1], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("results: list parts: %s: %w", e.Name(), err)
			}
			parts = append(parts, n)
		}
	}
	slices.SortFunc(parts, cmp.Compare)
	return parts, nil
}

// Points yields the rows of all parts in order.
func (s *Set) Points(ctx context.Context) iter.Seq2[PointRow, error] {
	return scanSet(s, Points, func(r *Reader) iter.Seq2[PointRow, error] { return r.Points(ctx) })
}

// Trajectories yields the rows of all parts in order.
func (s *Set) Trajectories(ctx context.Context) iter.Seq2[TrajectoryRow, error] {
	return scanSet(s, Trajectories, func(r *Reader) iter.Seq2[TrajectoryRow, error] { return r.Trajectories(ctx) })
}

// Coefficients yields the rows of all parts in order.
func (s *Set) Coefficients(ctx context.Context) iter.Seq2[CoefficientRow, error] {
	return scanSet(s, Coefficients, func(r *Reader) iter.Seq2[CoefficientRow, error] { return r.Coefficients(ctx) })
}

// Shards yields the log of all parts in order.
func (s *Set) Shards(ctx context.Context) iter.Seq2[ShardRow, error] {
	return scanSet(s, Shards, func(r *Reader) iter.Seq2[ShardRow, error] { return r.Shards(ctx) })
}

// Scan yields the named columns of a table's rows, all parts in order. The slice is reused for the
// next row.
func (s *Set) Scan(ctx context.Context, t Table, columns ...string) iter.Seq2[[]Cell, error] {
	return scanSet(s, t, func(r *Reader) iter.Seq2[[]Cell, error] { return r.Scan(ctx, columns...) })
}

func scanSet[T any](s *Set, t Table, scan func(*Reader) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		parts, err := s.Parts(t)
		if err != nil {
			yield(none, err)
			return
		}
		for _, part := range parts {
			f, err := openFile(filepath.Join(s.dir, filepath.FromSlash(PartName(t, part))))
			if err != nil {
				yield(none, err)
				return
			}
			for row, err := range scan(f.Reader) {
				if !yield(row, err) || err != nil {
					f.Close()
					return
				}
			}
			f.Close()
		}
	}
}

// setFile is a Reader of a file of a set.
type setFile struct {
	*Reader
	path string
	file *os.File
	size int64
}

func openFile(path string) (*setFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("results: %w", err)
	}
	info, err := f.Stat()
	if err == nil {
		var r *Reader
		if r, err = NewReader(f, info.Size()); err == nil {
			return &setFile{Reader: r, path: path, file: f, size: info.Size()}, nil
		}
	}
	f.Close()
	return nil, fmt.Errorf("%s: %w", path, err)
}

// Close closes the file.
func (f *setFile) Close() { f.file.Close() }
