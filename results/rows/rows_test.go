package rows_test

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
	"pgregory.net/rapid"

	"github.com/phasegrid/phasegrid/results/rows"
	"github.com/phasegrid/phasegrid/sweep"
)

const head = `name: rows
variables: {ratio: a number of one's own, tag: a word of one's own}
fixed: {covariance: spiked, model: population, init_scale: 0.1, learning_rate: 0.01, steps: 5}
record: none
`

// parse parses a sweep file with the given value of points in a folder.
func parse(folder, points string) (*sweep.Spec, error) {
	name := filepath.Join(folder, "sweep.yaml")
	return sweep.Parse(name, []byte(head+"points: "+points), sweep.Limits{Rows: rows.Beside(name)})
}

// table is random rows: "" is a cell that sets nothing.
type table struct{ cells [][]string }

var names = []string{"dimension", "anisotropy", "optimizer", "nesterov", "ratio", "tag"}

func drawTable(t *rapid.T) (x table) {
	for range rapid.IntRange(1, 12).Draw(t, "rows") {
		number := func(name string) string {
			return strconv.FormatFloat(rapid.Float64Range(0, 1e3).Draw(t, name), 'g', -1, 64)
		}
		maybe := func(s string) string {
			if rapid.Bool().Draw(t, "given") {
				return s
			}
			return ""
		}
		x.cells = append(x.cells, []string{
			strconv.Itoa(rapid.IntRange(2, 40).Draw(t, "dimension")), number("anisotropy"),
			rapid.SampledFrom([]string{"gd", "specgd", "muon"}).Draw(t, "optimizer"),
			maybe(rapid.SampledFrom([]string{"true", "false"}).Draw(t, "nesterov")), maybe(number("ratio")),
			maybe(rapid.StringMatching(`[a-z]{1,5}( [a-z]{1,3})?`).Draw(t, "tag")),
		})
	}
	// A variable has a value somewhere.
	x.cells = append(x.cells, []string{"3", "0.5", "muon", "true", "0.25", "last"})
	return x
}

func (x table) yaml() string {
	var b strings.Builder
	for _, row := range x.cells {
		b.WriteString("\n  - {")
		for i, c := range row {
			switch {
			case c == "":
			case names[i] == "tag":
				fmt.Fprintf(&b, "tag: %q, ", c)
			default:
				fmt.Fprintf(&b, "%s: %s, ", names[i], c)
			}
		}
		b.WriteString("}")
	}
	return b.String() + "\n"
}

func (x table) csv() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.WriteAll(append([][]string{names}, x.cells...))
	return b.Bytes()
}

func (x table) parquet(t testing.TB) []byte {
	fields := []arrow.Field{
		{Name: "dimension", Type: arrow.PrimitiveTypes.Int32}, {Name: "anisotropy", Type: arrow.PrimitiveTypes.Float64},
		{
			Name: "optimizer",
			Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String},
		},
		{Name: "nesterov", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "ratio", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "tag", Type: arrow.BinaryTypes.String, Nullable: true},
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, row := range x.cells {
		for i, c := range row {
			if c == "" {
				b.Field(i).AppendNull()
			} else if err := b.Field(i).AppendValueFromString(c); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := b.NewRecord()
	defer r.Release()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(
		schema,
		&out,
		parquet.NewWriterProperties(),
		pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()),
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(r); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestRowsOfFilesAreThoseWrittenByHand: the same rows in YAML, CSV and Parquet are the same sweep.
func TestRowsOfFilesAreThoseWrittenByHand(t *testing.T) {
	folder := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		x := drawTable(r)
		byHand, err := parse(folder, x.yaml())
		if err != nil {
			r.Fatal(err)
		}
		for name, data := range map[string][]byte{"rows.csv": x.csv(), "rows.parquet": x.parquet(t)} {
			if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := parse(folder, "{file: "+name+"}\n")
			if err != nil {
				r.Fatalf("%s: %v", name, err)
			}
			if !bytes.Equal(got.Canonical(), byHand.Canonical()) {
				r.Fatalf("%s: got\n%s\nwant\n%s", name, got.Canonical(), byHand.Canonical())
			}
			if !got.HasRowFiles() || byHand.HasRowFiles() {
				r.Fatal("HasRowFiles is wrong")
			}
		}
	})
}

// TestMistakesInFilesOfRows: each names the file, the line and the column.
func TestMistakesInFilesOfRows(t *testing.T) {
	for _, test := range []struct {
		data string
		want []string
	}{
		{"dimenson,optimizer\n3,gd\n", []string{`rows.csv:1:1: unknown key "dimenson"; did you mean "dimension"?`}},
		{
			"dimension,optimizer\n3,gd\nx,adm\n",
			[]string{
				"rows.csv:3:1: dimension: got x",
				"rows.csv:3:3: optimizer: got adm",
			},
		},
		{"dimension,dimension\n3,4\n", []string{`rows.csv:1:11: duplicate key "dimension"`}},
		{
			"dimension,optimizer\n3\n",
			[]string{
				"sweep.yaml:5:16: points: read rows of",
				"record on line 2: wrong number of fields",
			},
		},
		{"dimension,spikes\n3,\"[1, x]\"\n", []string{"rows.csv:2:3: spikes: got a list of another form"}},
		{"dimension\n", []string{"got no rows, want at least one"}},
		{"", []string{"got no columns, want one for each parameter"}},
		{"dimension\n\xff\n", []string{"line 2, column 1: got bytes that are not UTF-8"}},
		{
			"dimension\n" + strings.Repeat("3\n", 40_001),
			[]string{
				"got 40001 rows of 1 columns, want at most 40000 values",
			},
		},
	} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "rows.csv"), []byte(test.data), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := parse(folder, "{file: rows.csv}\n")
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.40q: got %v, want %q", test.data, err, want)
			}
		}
	}
	folder := t.TempDir()
	for points, want := range map[string]string{
		"{file: none.csv}":            "points: read rows: open",
		"{file: rows.txt}":            "points: got file rows.txt, want the name of a .csv or .parquet file",
		"{file: [rows.csv]}":          "points: got file a list",
		"{file: a.csv, sheet: 1}":     `unknown key "sheet"`,
		"{fil: a.csv}":                "points: got a mapping, want a list of mappings of parameters to values, or",
		"{file: " + folder + "/.csv}": "points: read rows: open",
	} {
		_, err := parse(folder, points+"\n")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", points, err, want)
		}
		if points == "{fil: a.csv}" { // it names no file
			continue
		}
		if err != nil && strings.Contains(err.Error(), "missing") ||
			err != nil && strings.Contains(err.Error(), "has no value") {
			t.Errorf("%s: got %v, want no mistake that follows from rows that could not be read", points, err)
		}
	}
}

// TestRowsWithoutReader: whoever opens no files says so.
func TestRowsWithoutReader(t *testing.T) {
	file := []byte("name: x\nunion:\n  - points: {file: rows.csv}\n")
	if !sweep.ReadsFiles(file) || sweep.ReadsFiles([]byte("name: x\npoints: [{dimension: 3}]\nfile: a.csv\n")) {
		t.Error("ReadsFiles is wrong")
	}
	_, err := sweep.Parse("sweep.yaml", file, sweep.Limits{})
	if want := "sweep.yaml:3:20: points: file rows.csv cannot be read here"; err == nil ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestDamagedParquet: a file with a damaged footer, or a part of a file, is an error or other rows,
// and no panic.
func TestDamagedParquet(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "rows.parquet")
	good := table{[][]string{{"3", "0.5", "muon", "true", "0.25", "last"}, {"4", "1.5", "gd", "", "", "a"}}}.parquet(t)
	read := rows.Beside(filepath.Join(folder, "sweep.yaml"))
	write := func(data []byte) {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	footer := len(good) - 8 - int(binary.LittleEndian.Uint32(good[len(good)-8:]))
	for i := footer; i < len(good); i++ {
		data := slices.Clone(good)
		data[i] ^= 0x80
		write(data)
		_, _ = read("rows.parquet")
	}
	for i := range good {
		write(good[:i])
		if _, err := read("rows.parquet"); err == nil {
			t.Errorf("%d of %d bytes were read as a file", i, len(good))
		}
	}
}

func FuzzRows(f *testing.F) {
	f.Add([]byte("dimension,optimizer\n3,gd\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const name = "rows.csv"
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Skip()
		}
		got, err := rows.Beside(filepath.Join(folder, "sweep.yaml"))(name)
		if err != nil {
			return
		}
		for _, row := range got.Rows {
			if len(row) != len(got.Names) || len(row) == 0 {
				t.Fatalf("got a row of %d cells, want %d", len(row), len(got.Names))
			}
		}
	})
}
