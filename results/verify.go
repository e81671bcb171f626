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

	"github.com/phasegrid/phasegrid/sweep"
)

// ViolationKind classifies violations.
type ViolationKind string

const (
	MissingFile  ViolationKind = "missing file"
	ForeignFile  ViolationKind = "foreign file"
	BadManifest  ViolationKind = "manifest"
	BadChecksum  ViolationKind = "checksum"
	BadSchema    ViolationKind = "schema"
	Unreadable   ViolationKind = "unreadable"
	MissingPoint ViolationKind = "missing point"
	DuplicateRow ViolationKind = "duplicate row"
	WrongOrder   ViolationKind = "wrong order"
	ForeignPoint ViolationKind = "foreign point"
	NotFinite    ViolationKind = "not finite"
	UnknownWord  ViolationKind = "unknown word"
	WrongPoint   ViolationKind = "wrong point" // point_id or parameters are not those of the point
)

// Violation is something wrong with a result set.
type Violation struct {
	Kind   ViolationKind
	File   string // relative to the set; "" for the set as a whole
	Detail string
}

func (v Violation) String() string {
	if v.File == "" {
		return fmt.Sprintf("%s: %s", v.Kind, v.Detail)
	}
	return fmt.Sprintf("%s: %s: %s", v.File, v.Kind, v.Detail)
}

// Report is the result of Verify.
type Report struct {
	// Finished reports whether the set has a manifest. Without one, checksums cannot be verified
	// and missing points not be found.
	Finished   bool
	Manifest   *Manifest // nil until the sweep is done
	Points     int64
	Files      int
	Violations []Violation
	// Omitted is the number of violations after the first maxViolations.
	Omitted int64
}

// OK reports whether there are no violations.
func (r *Report) OK() bool { return len(r.Violations) == 0 }

const maxViolations = 10_000

// Verify reads a whole result set and lists every violation: missing, duplicate and foreign points,
// wrong order, schema or checksum, NaN, missing and foreign files, steps of unknown points, and a
// manifest that disagrees with the files. present reports which indices are points of the sweep. If
// it is nil, missing points are found only in parts in which every index is a point. If spec is not
// nil, point_id (from solver version 4 on) and parameters of every row are compared with those of
// its point. The error is
// about the folder or ctx, not about the set.
func Verify(ctx context.Context, dir string, present func(index int64) bool, spec *sweep.Spec) (*Report, error) {
	schema, err := readSchema(dir)
	if err != nil {
		return nil, err
	}
	v := &verifier{dir: dir, schema: schema, present: present, report: &Report{}, listed: map[string]ManifestFile{}}
	if spec != nil {
		v.identity = IdentityOf(spec, schema.options.Solver)
	}
	if v.manifest, err = readManifest(dir); err != nil {
		v.add(BadManifest, ManifestName, "%v", err)
	}
	v.report.Finished, v.report.Manifest = v.manifest != nil, v.manifest
	if err := v.files(ctx); err != nil {
		return nil, err
	}
	return v.report, v.parts(ctx)
}

// verifier verifies one set. One goroutine uses it.
type verifier struct {
	dir      string
	schema   *Schema
	manifest *Manifest // nil until the sweep is done
	present  func(int64) bool
	identity Identity // nil if the sweep is not known
	report   *Report
	listed   map[string]ManifestFile // of the manifest, by path
	readable []string                // Parquet files with the right checksum
}

// add reports a violation.
func (v *verifier) add(kind ViolationKind, file, format string, args ...any) {
	if len(v.report.Violations) == maxViolations {
		v.report.Omitted++
		return
	}
	v.report.Violations = append(v.report.Violations, Violation{kind, file, fmt.Sprintf(format, args...)})
}

// files compares the folder with the manifest and each file with its checksum.
func (v *verifier) files(ctx context.Context) error {
	if v.manifest != nil {
		for _, f := range v.manifest.Files {
			v.listed[f.Path] = f
		}
	}
	found := map[string]bool{}
	// The separator at the end makes WalkDir follow a symbolic link to the set.
	err := filepath.WalkDir(v.dir+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		name, err := filepath.Rel(v.dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() && name == OwnersName {
			return fs.SkipDir
		}
		if d.IsDir() {
			return nil
		}
		found[name] = true
		return v.file(name)
	})
	if err != nil {
		return fmt.Errorf("results: verify %s: %w", v.dir, err)
	}
	v.report.Files = len(found)
	for _, f := range v.expected() {
		if !found[f] {
			v.add(MissingFile, f, "does not exist")
		}
	}
	return nil
}

// expected lists the files that must exist.
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

// file checks the name and the checksum of a file.
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
			v.add(BadChecksum, name, "got %d bytes, sha256 %.16s..., the manifest has %d bytes, %.16s...",
				got.Bytes, got.SHA256, want.Bytes, want.SHA256)
			return nil
		}
	}
	v.readable = append(v.readable, name)
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

// parts verifies the rows of every part.
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
				if !slices.Contains(v.readable, PartName(t, part)) {
					v.add(MissingFile, PartName(t, part), "does not exist, but the part has other tables")
				}
			}
		}
		p := partVerifier{set: v, part: part, last: last, byStatus: byStatus}
		if err := p.run(ctx); err != nil {
			return err
		}
		last = p.last
	}
	v.totals(byStatus)
	return nil
}

// totals compares the numbers of points with the manifest.
func (v *verifier) totals(byStatus map[string]int64) {
	for _, n := range byStatus {
		v.report.Points += n
	}
	if v.manifest == nil {
		return
	}
	for _, status := range []string{StatusOK, StatusDiverged, StatusFailed, StatusInvalid} {
		if got, want := byStatus[status], v.manifest.PointsByStatus[status]; got != want {
			v.add(BadManifest, ManifestName, "got %d points with status %s, the manifest has %d", got, status, want)
		}
	}
	if v.manifest.Solver != v.schema.options.Solver {
		v.add(BadManifest, ManifestName, "the manifest has solver %s, the files have %s",
			v.manifest.Solver, v.schema.options.Solver)
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
