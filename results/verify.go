package results

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// Problem is a kind of violation.
type Problem string

const (
	MissingFile  Problem = "missing file"
	ForeignFile  Problem = "foreign file"
	BadManifest  Problem = "manifest"
	BadChecksum  Problem = "checksum"
	BadSchema    Problem = "schema"
	Unreadable   Problem = "unreadable"
	MissingPoint Problem = "missing point"
	DoubledRow   Problem = "doubled row"
	WrongOrder   Problem = "wrong order"
	ForeignPoint Problem = "foreign point"
	NotFinite    Problem = "not finite"
	UnknownWord  Problem = "unknown word"
)

// Violation is one breach of what a result set promises.
type Violation struct {
	Problem Problem
	File    string // below the set, "" where it is about the whole
	Detail  string
}

func (v Violation) String() string {
	if v.File == "" {
		return fmt.Sprintf("%s: %s", v.Problem, v.Detail)
	}
	return fmt.Sprintf("%s: %s: %s", v.File, v.Problem, v.Detail)
}

// Report is what Verify found.
type Report struct {
	// Finished: the set has a manifest. Without one, checksums and missing points cannot be told.
	Finished   bool
	Manifest   *Manifest // nil while the sweep runs
	Points     int64
	Files      int
	Violations []Violation
	// Omitted counts the violations beyond the first maxViolations.
	Omitted int64
}

// OK tells whether nothing was found.
func (r *Report) OK() bool { return len(r.Violations) == 0 }

const maxViolations = 10_000

// Verify reads a whole result set and lists every violation: missing, doubled and foreign points,
// wrong order, schema or checksum, NaN, missing and foreign files, steps of unknown points, a
// manifest that does not fit. present tells which indices are points of the sweep; nil: then parts
// whose points are fewer than their indices are only counted. The error is about the folder or ctx,
// not about the set.
func Verify(ctx context.Context, dir string, present func(index int64) bool) (*Report, error) {
	schema, err := readSchema(dir)
	if err != nil {
		return nil, err
	}
	v := &verifier{dir: dir, schema: schema, present: present, report: &Report{}, listed: map[string]ManifestFile{}}
	if v.manifest, err = readManifest(dir); err != nil {
		v.add(BadManifest, ManifestName, "%v", err)
	}
	v.report.Finished, v.report.Manifest = v.manifest != nil, v.manifest
	if err := v.files(ctx); err != nil {
		return nil, err
	}
	return v.report, v.parts(ctx)
}

// verifier walks one set.
type verifier struct {
	dir      string
	schema   *Schema
	manifest *Manifest // nil: the sweep runs
	present  func(int64) bool
	report   *Report
	listed   map[string]ManifestFile
	sound    []string // Parquet files fit to be parsed, in order
}

func (v *verifier) add(p Problem, file, format string, args ...any) {
	if len(v.report.Violations) == maxViolations {
		v.report.Omitted++
		return
	}
	v.report.Violations = append(
		v.report.Violations,
		Violation{Problem: p, File: file, Detail: fmt.Sprintf(format, args...)},
	)
}

// files compares the folder with the manifest, and each file with its checksum.
func (v *verifier) files(ctx context.Context) error {
	if v.manifest != nil {
		for _, f := range v.manifest.Files {
			v.listed[f.Path] = f
		}
	}
	found := map[string]bool{}
	// With the separator at its end a symbolic link to the set is followed.
	err := filepath.WalkDir(v.dir+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if d.IsDir() {
			return nil
		}
		name, err := filepath.Rel(v.dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		found[name] = true
		return v.file(name)
	})
	if err != nil {
		return fmt.Errorf("results: verify %s: %w", v.dir, err)
	}
	v.report.Files = len(found)
	for _, f := range v.expected() {
		if !found[f] {
			v.add(MissingFile, f, "not there")
		}
	}
	return nil
}

// expected lists the files that must be there.
func (v *verifier) expected() []string {
	names := []string{SweepName, ViewsName}
	for _, t := range v.schema.Tables() {
		names = append(names, EmptyName(t))
		if v.manifest != nil {
			for part := range v.manifest.Parts {
				names = append(names, PartName(t, int64(part)))
			}
		}
	}
	return names
}

// file checks one file's name and checksum.
func (v *verifier) file(name string) error {
	switch name {
	case ManifestName, SweepName, ViewsName:
		return nil
	}
	table, _ := filepath.Split(name)
	t, err := tableNamed(filepath.Clean(table))
	base := filepath.Base(name)
	if err != nil || !v.schema.Has(t) || name != EmptyName(t) && !partFile.MatchString(base) {
		v.add(ForeignFile, name, "not part of a result set")
		return nil
	}
	if v.manifest != nil {
		want, ok := v.listed[name]
		if !ok {
			v.add(ForeignFile, name, "not in the manifest")
			return nil
		}
		got, err := hashFile(filepath.Join(v.dir, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		if got.Bytes != want.Bytes || got.SHA256 != want.SHA256 {
			v.add(
				BadChecksum,
				name,
				"%d bytes, sha256 %.16s...; the manifest has %d bytes, %.16s...",
				got.Bytes,
				got.SHA256,
				want.Bytes,
				want.SHA256,
			)
			return nil
		}
	}
	v.sound = append(v.sound, name)
	return nil
}

func hashFile(path string) (ManifestFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return ManifestFile{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return ManifestFile{Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, err
}

// parts reads the rows of every part.
func (v *verifier) parts(ctx context.Context) error {
	set := Set{dir: v.dir, schema: v.schema}
	numbers := map[int64]bool{}
	for _, t := range v.schema.Tables() {
		parts, err := set.Parts(t)
		if err != nil {
			return err
		}
		for _, part := range parts {
			numbers[part] = true
		}
	}
	last := int64(-1)
	byStatus := map[string]int64{}
	for _, part := range slices.Sorted(maps.Keys(numbers)) {
		if v.manifest == nil {
			for _, t := range v.schema.Tables() {
				if !slices.Contains(v.sound, PartName(t, part)) {
					v.add(MissingFile, PartName(t, part), "the part has other tables")
				}
			}
		}
		p := partVerifier{verifier: v, part: part, last: last, byStatus: byStatus}
		if err := p.run(ctx); err != nil {
			return err
		}
		last = p.last
	}
	v.totals(byStatus)
	return nil
}

// totals compares the sums with the manifest.
func (v *verifier) totals(byStatus map[string]int64) {
	for _, n := range byStatus {
		v.report.Points += n
	}
	if v.manifest == nil {
		return
	}
	for _, status := range []string{StatusOK, StatusDiverged, StatusFailed, StatusInvalid} {
		if got, want := byStatus[status], v.manifest.PointsByStatus[status]; got != want {
			v.add(BadManifest, ManifestName, "%d points are %s; the manifest has %d", got, status, want)
		}
	}
	if v.manifest.SolverVersion != v.schema.options.SolverVersion {
		v.add(
			BadManifest,
			ManifestName,
			"solver version %d; the files have %d",
			v.manifest.SolverVersion,
			v.schema.options.SolverVersion,
		)
	}
}

// checkFloats reports the cells of a row that are NaN or Inf.
func (v *verifier) checkFloats(file string, columns []Column, row []Cell) {
	for i, c := range columns {
		if x := row[i].Float; c.Kind == Float64 && !row[i].Null && (math.IsNaN(x) || math.IsInf(x, 0)) {
			v.add(NotFinite, file, "%s of point %d is %v", c.Name, row[0].Int, x)
		}
	}
}
