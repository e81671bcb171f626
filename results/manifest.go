package results

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/sweep"
)

// Names of files in a result set.
const (
	ManifestName = "manifest.json"
	SweepName    = "sweep.yaml"
	ViewsName    = "views.sql"
	// OwnersName is the folder of the marks of those who write the set, which are no part of it.
	OwnersName = ".owners"
)

// PartName returns the path of a part's file, relative to the result set.
func PartName(t Table, part int64) string { return fmt.Sprintf("%s/part-%06d.parquet", t, part) }

// EmptyName returns the path of a table's file without rows. It exists from the start, so that the
// glob <table>/*.parquet always matches a file and a set without parts has its columns.
func EmptyName(t Table) string { return t.String() + "/schema.parquet" }

// Manifest is the list of a finished set's files: what they contain and what computed them.
type Manifest struct {
	Format          int                  `json:"format"` // 2
	Sweep           string               `json:"sweep"`  // id, 32 hex digits
	Name            string               `json:"name"`
	SpecSHA256      string               `json:"spec_sha256"` // of the canonical spec
	Solver          sweep.SolverIdentity `json:"solver"`
	PlanVersion     int                  `json:"plan_version"`
	ArithmeticClass string               `json:"arithmetic_class"`
	GitRevision     string               `json:"git_revision"`
	Indices         int64                `json:"indices"` // of the unfiltered enumeration
	// PointsByStatus counts the rows of the points table.
	PointsByStatus map[string]int64 `json:"points_by_status"`
	Parts          []Part           `json:"parts"`
	// Missing are the indices of quarantined shards: their points have no rows.
	Missing []IndexRange   `json:"missing,omitempty"`
	Files   []ManifestFile `json:"files"`
}

// IndexRange is the indices [First, End).
type IndexRange struct {
	First int64 `json:"first"`
	End   int64 `json:"end"`
}

// Part is the index range of one part and its number of points.
type Part struct {
	IndexRange
	Points int64 `json:"points"`
}

// ManifestFile is one Parquet file of the set.
type ManifestFile struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Entry returns the file's entry in a manifest.
func (f File) Entry(path string) ManifestFile {
	return ManifestFile{Path: path, Bytes: f.Bytes, Rows: f.Rows, SHA256: hex.EncodeToString(f.SHA256[:])}
}

// Formats of manifests. Those of numbered solvers have solver_version in place of solver.
const (
	numberedFormat = 1
	manifestFormat = 2
)

// Encode returns the manifest as JSON, with the files ordered by path.
func (m Manifest) Encode() ([]byte, error) {
	m.Format = manifestFormat
	m.Files = slices.SortedFunc(
		slices.Values(m.Files), func(a, b ManifestFile) int { return strings.Compare(a.Path, b.Path) },
	)
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("results: encode manifest: %w", err)
	}
	return append(data, '\n'), nil
}

// decodeManifest decodes a manifest of any format.
func decodeManifest(data []byte) (Manifest, error) {
	var m Manifest
	var numbered struct {
		SolverVersion int `json:"solver_version"`
	}
	if err := errors.Join(json.Unmarshal(data, &m), json.Unmarshal(data, &numbered)); err != nil {
		return Manifest{}, err
	}
	switch m.Format {
	case manifestFormat:
	case numberedFormat:
		m.Solver = sweep.BuiltinSolver(numbered.SolverVersion)
	default:
		return Manifest{}, fmt.Errorf("got format %d, want %d..%d; use the release that wrote it",
			m.Format, numberedFormat, manifestFormat)
	}
	return m, m.Solver.Check()
}

// ParseManifest decodes a manifest. It checks that paths stay within the set and that parts are
// contiguous.
func ParseManifest(data []byte) (Manifest, error) {
	m, err := decodeManifest(data)
	if err != nil {
		return Manifest{}, fmt.Errorf("results: parse %s: %w", ManifestName, err)
	}
	for i, f := range m.Files {
		if f.Path != path.Clean(f.Path) || path.IsAbs(f.Path) || strings.HasPrefix(f.Path, "..") ||
			strings.Contains(f.Path, `\`) {
			return Manifest{}, fmt.Errorf("results: parse %s: path %q leaves the result set", ManifestName, f.Path)
		}
		if i > 0 && f.Path <= m.Files[i-1].Path {
			return Manifest{}, fmt.Errorf(
				"results: parse %s: file %s is out of order or duplicated", ManifestName, f.Path,
			)
		}
	}
	end := int64(0)
	for i, p := range m.Parts {
		if p.First != end || p.End <= p.First || p.Points < 0 || p.Points > p.End-p.First {
			return Manifest{}, fmt.Errorf(
				"results: parse %s: part %d is [%d, %d) with %d points, want it to begin at %d",
				ManifestName, i, p.First, p.End, p.Points, end,
			)
		}
		end = p.End
	}
	if end != m.Indices {
		return Manifest{}, fmt.Errorf("results: parse %s: parts end at index %d, want %d", ManifestName, end, m.Indices)
	}
	return m, nil
}
