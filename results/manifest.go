package results

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Names in a result set.
const (
	ManifestName = "manifest.json"
	SweepName    = "sweep.yaml"
	ViewsName    = "views.sql"
)

// PartName is the path of a part's file below the set.
func PartName(t Table, part int64) string { return fmt.Sprintf("%s/part-%06d.parquet", t, part) }

// EmptyName is the path of a table's file without rows. It is there from the start and stays: so
// the glob <table>/*.parquet always matches a file, and a set without parts has its columns.
func EmptyName(t Table) string { return t.String() + "/schema.parquet" }

// Manifest closes a finished set: which files there are, what made them, and which points they
// hold.
type Manifest struct {
	Format          int    `json:"format"` // 1
	Sweep           string `json:"sweep"`  // id, 32 hex digits
	Name            string `json:"name"`
	SpecSHA256      string `json:"spec_sha256"` // of the canonical spec
	SolverVersion   int    `json:"solver_version"`
	PlanVersion     int    `json:"plan_version"`
	ArithmeticClass string `json:"arithmetic_class"`
	GitRevision     string `json:"git_revision"`
	Indices         int64  `json:"indices"` // of the unfiltered enumeration
	// PointsByStatus counts the rows of the points table.
	PointsByStatus map[string]int64 `json:"points_by_status"`
	Parts          []Part           `json:"parts"`
	// Missing are runs of indices whose shards are quarantined: their points have no rows.
	Missing []IndexRange   `json:"missing,omitempty"`
	Files   []ManifestFile `json:"files"`
}

// IndexRange is the indices [First, End).
type IndexRange struct {
	First int64 `json:"first"`
	End   int64 `json:"end"`
}

// Part is the index range of one part, and how many points it holds.
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

// Entry is the file's line in a manifest.
func (f File) Entry(path string) ManifestFile {
	return ManifestFile{Path: path, Bytes: f.Bytes, Rows: f.Rows, SHA256: hex.EncodeToString(f.SHA256[:])}
}

const manifestFormat = 1

// Encode returns the manifest as JSON with its files by path.
func (m Manifest) Encode() ([]byte, error) {
	m.Format = manifestFormat
	m.Files = slices.SortedFunc(
		slices.Values(m.Files),
		func(a, b ManifestFile) int { return strings.Compare(a.Path, b.Path) },
	)
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("results: encode manifest: %w", err)
	}
	return append(data, '\n'), nil
}

// ParseManifest reads a manifest and checks that its paths stay in the set and its parts in order.
func ParseManifest(data []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("results: %s: %w", ManifestName, err)
	}
	if m.Format != manifestFormat {
		return Manifest{}, fmt.Errorf(
			"results: %s has format %d; this program reads %d: use the release that wrote it",
			ManifestName,
			m.Format,
			manifestFormat,
		)
	}
	for i, f := range m.Files {
		if f.Path != path.Clean(f.Path) || path.IsAbs(f.Path) || strings.HasPrefix(f.Path, "..") ||
			strings.Contains(f.Path, `\`) {
			return Manifest{}, fmt.Errorf("results: %s: path %q leaves the set", ManifestName, f.Path)
		}
		if i > 0 && f.Path <= m.Files[i-1].Path {
			return Manifest{}, fmt.Errorf("results: %s: file %s is out of order or doubled", ManifestName, f.Path)
		}
	}
	end := int64(0)
	for i, p := range m.Parts {
		if p.First != end || p.End <= p.First || p.Points < 0 || p.Points > p.End-p.First {
			return Manifest{}, fmt.Errorf(
				"results: %s: part %d is [%d, %d) with %d points; it must begin at %d",
				ManifestName,
				i,
				p.First,
				p.End,
				p.Points,
				end,
			)
		}
		end = p.End
	}
	if end != m.Indices {
		return Manifest{}, fmt.Errorf("results: %s: parts end at index %d of %d", ManifestName, end, m.Indices)
	}
	return m, nil
}
