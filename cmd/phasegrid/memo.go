package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"syscall"

	"github.com/phasegrid/phasegrid/node"
	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/results"
)

// A memo is a folder with two files: rows, one record after the other, and ids, the sorted table of
// point ids with the place of each record. Its memory is flat: ids are sorted bucket by bucket, and
// looked up in the file.
const (
	memoRows = "rows"
	memoIDs  = "ids"
)

// memoEntry is a line of the table of ids.
type memoEntry struct {
	id     [16]byte
	offset int64
}

const memoEntryBytes = 16 + 8

// memoWriter builds a memo. Close makes it readable.
type memoWriter struct {
	folder  string
	rows    *os.File
	out     *bufio.Writer
	offset  int64
	buckets [256]*bufio.Writer // of unsorted entries, by the first byte of the id
	files   []*os.File
	record  []byte
}

func newMemoWriter(folder string) (*memoWriter, error) {
	if err := os.RemoveAll(folder); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	w := &memoWriter{folder: folder}
	var err error
	if w.rows, err = os.Create(filepath.Join(folder, memoRows)); err != nil {
		return nil, err
	}
	w.out = bufio.NewWriterSize(w.rows, 1<<20)
	for i := range w.buckets {
		f, err := os.Create(w.bucketName(i))
		if err != nil {
			w.close()
			return nil, err
		}
		w.files = append(w.files, f)
		w.buckets[i] = bufio.NewWriter(f)
	}
	return w, nil
}

func (w *memoWriter) bucketName(i int) string {
	return filepath.Join(w.folder, fmt.Sprintf("bucket-%02x", i))
}

func (w *memoWriter) close() {
	w.rows.Close()
	for _, f := range w.files {
		f.Close()
	}
}

// add stores the result of a point.
func (w *memoWriter) add(id [16]byte, r *solver.Result) error {
	w.record = appendResult(append(w.record[:0], 0, 0, 0, 0), r)
	binary.LittleEndian.PutUint32(w.record, uint32(len(w.record)-4))
	if _, err := w.out.Write(w.record); err != nil {
		return err
	}
	entry := binary.LittleEndian.AppendUint64(slices.Clone(id[:]), uint64(w.offset))
	w.offset += int64(len(w.record))
	_, err := w.buckets[id[0]].Write(entry)
	return err
}

// finish sorts the ids. Of points that were added twice the first counts.
func (w *memoWriter) finish() error {
	defer w.close()
	if err := w.out.Flush(); err != nil {
		return err
	}
	ids, err := os.Create(filepath.Join(w.folder, memoIDs))
	if err != nil {
		return err
	}
	defer ids.Close()
	out := bufio.NewWriterSize(ids, 1<<20)
	for i, b := range w.buckets {
		if err := b.Flush(); err != nil {
			return err
		}
		data, err := os.ReadFile(w.bucketName(i))
		if err != nil {
			return err
		}
		for _, e := range sortedEntries(data) {
			if _, err := out.Write(binary.LittleEndian.AppendUint64(e.id[:], uint64(e.offset))); err != nil {
				return err
			}
		}
		if err := os.Remove(w.bucketName(i)); err != nil {
			return err
		}
	}
	return out.Flush()
}

func sortedEntries(data []byte) []memoEntry {
	entries := make([]memoEntry, len(data)/memoEntryBytes)
	for i := range entries {
		entries[i] = entryAt(data, i)
	}
	slices.SortFunc(entries, func(a, b memoEntry) int {
		return cmp.Or(bytes.Compare(a.id[:], b.id[:]), cmp.Compare(a.offset, b.offset))
	})
	return slices.CompactFunc(entries, func(a, b memoEntry) bool { return a.id == b.id })
}

func entryAt(data []byte, i int) memoEntry {
	line := data[i*memoEntryBytes:]
	return memoEntry{[16]byte(line), int64(binary.LittleEndian.Uint64(line[16:]))}
}

// memo answers points of earlier sweeps. It is safe for concurrent use.
type memo struct {
	folder string
	rows   *os.File
	ids    []byte // the file, mapped
}

var _ node.Memo = (*memo)(nil)

func openMemo(folder string) (*memo, error) {
	f, err := os.Open(filepath.Join(folder, memoIDs))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	m := &memo{folder: folder}
	if info.Size() > 0 {
		if m.ids, err = syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED); err != nil {
			return nil, fmt.Errorf("map %s: %w", f.Name(), err)
		}
	}
	if m.rows, err = os.Open(filepath.Join(folder, memoRows)); err != nil {
		return nil, errors.Join(err, syscall.Munmap(m.ids))
	}
	return m, nil
}

// close ends the use of a memo; of nil it does nothing.
func (m *memo) close() {
	if m == nil {
		return
	}
	m.rows.Close()
	if m.ids != nil {
		_ = syscall.Munmap(m.ids) // a mapping that is ours can be given up
	}
}

// find returns the place of a point's record.
func (m *memo) find(id [16]byte) (offset int64, ok bool) {
	n := len(m.ids) / memoEntryBytes
	i := sort.Search(n, func(i int) bool {
		return bytes.Compare(m.ids[i*memoEntryBytes:i*memoEntryBytes+16], id[:]) >= 0
	})
	if i == n {
		return 0, false
	}
	e := entryAt(m.ids, i)
	return e.offset, e.id == id
}

// Result reads a point's record.
func (m *memo) Result(id [16]byte) (solver.Result, bool, error) {
	offset, ok := m.find(id)
	if !ok {
		return solver.Result{}, false, nil
	}
	var length [4]byte
	_, err := m.rows.ReadAt(length[:], offset)
	record := make([]byte, binary.LittleEndian.Uint32(length[:]))
	if err == nil {
		_, err = m.rows.ReadAt(record, offset+4)
	}
	var r solver.Result
	if err == nil {
		r, err = decodeResult(record)
	}
	if err != nil {
		return solver.Result{}, false, fmt.Errorf(
			"read a known point from %s: %w; --no-reuse goes on without",
			m.rows.Name(),
			err,
		)
	}
	return r, true, nil
}

// memoResult is the part of a record of fixed size.
type memoResult struct {
	Status, TailOK                        uint8
	Final                                 solver.Metrics
	EscapeStep, StepsTo90, StepsTo99      int64
	PeakSpike                             float64
	PeakSpikeStep, DivergedStep, StepsRun int64
	TailSignal, TailLoss                  float64
	Samples, Groups                       uint32
}

type memoSample struct {
	Step    int64
	Metrics solver.Metrics
}

// namedCoefficients stand behind those of the groups in every sample: signal, spike and bulk.
const namedCoefficients = 3

// appendResult encodes a result whose samples have the groups' and the named coefficients.
func appendResult(b []byte, r *solver.Result) []byte {
	fixed := memoResult{
		Status: uint8(r.Status), Final: r.Final,
		EscapeStep: int64(r.EscapeStep), StepsTo90: int64(r.StepsTo90), StepsTo99: int64(r.StepsTo99),
		PeakSpike: r.PeakSpike, PeakSpikeStep: int64(r.PeakSpikeStep), DivergedStep: int64(r.DivergedStep), StepsRun: int64(r.StepsRun),
		TailSignal: r.TailSignal, TailLoss: r.TailLoss, Samples: uint32(len(r.Trajectory)), Groups: uint32(len(r.Groups)),
	}
	if r.TailOK {
		fixed.TailOK = 1
	}
	b = mustAppend(b, &fixed)
	for _, g := range r.Groups {
		b = mustAppend(b, [2]float64{g.Eigenvalue, float64(g.Multiplicity)})
	}
	for i := range r.Trajectory {
		s := &r.Trajectory[i]
		b = mustAppend(b, memoSample{int64(s.Step), s.Metrics})
		b = mustAppend(b, s.Coefficients)
	}
	return b
}

// mustAppend encodes a value of fixed size, which cannot fail.
func mustAppend(b []byte, v any) []byte {
	b, err := binary.Append(b, binary.LittleEndian, v)
	if err != nil {
		panic(err)
	}
	return b
}

// decodeResult reads what appendResult wrote.
func decodeResult(record []byte) (solver.Result, error) {
	var failed error
	take := func(v any) {
		n, err := binary.Decode(record, binary.LittleEndian, v)
		failed = cmp.Or(failed, err)
		record = record[n:]
	}
	var fixed memoResult
	take(&fixed)
	sample := int64(binary.Size(memoSample{})) + 8*(int64(fixed.Groups)+namedCoefficients)
	if size := int64(fixed.Groups)*2*8 + int64(fixed.Samples)*sample; failed != nil || size != int64(len(record)) {
		return solver.Result{}, errors.New("a record has another length than it says")
	}
	n := int(fixed.Groups)
	r := solver.Result{
		Status: solver.Status(fixed.Status), TailOK: fixed.TailOK == 1, Final: fixed.Final,
		EscapeStep: int(fixed.EscapeStep), StepsTo90: int(fixed.StepsTo90), StepsTo99: int(fixed.StepsTo99),
		PeakSpike: fixed.PeakSpike, PeakSpikeStep: int(fixed.PeakSpikeStep), DivergedStep: int(fixed.DivergedStep), StepsRun: int(fixed.StepsRun),
		TailSignal: fixed.TailSignal, TailLoss: fixed.TailLoss,
		SignalGroup: n, SpikeGroup: n + 1, BulkGroup: n + 2,
	}
	for range n {
		var g [2]float64
		take(&g)
		r.Groups = append(r.Groups, solver.Group{Eigenvalue: g[0], Multiplicity: int(g[1])})
	}
	for range fixed.Samples {
		var s memoSample
		take(&s)
		coefficients := make([]float64, n+namedCoefficients)
		take(coefficients)
		r.Trajectory = append(
			r.Trajectory,
			solver.Sample{Step: int(s.Step), Metrics: s.Metrics, Coefficients: coefficients},
		)
	}
	return r, failed
}

// known turns a row of an earlier set back into what the solver returned; only ok and diverged runs
// are worth keeping.
func known(p *results.PointRow) (solver.Result, bool) {
	r := solver.Result{
		Final:      solver.Metrics(p.Metrics),
		EscapeStep: int(p.EscapeStep), StepsTo90: int(p.StepsTo90), StepsTo99: int(p.StepsTo99),
		PeakSpike: p.PeakSpikeAlignment, PeakSpikeStep: int(p.PeakSpikeStep), DivergedStep: int(p.DivergedStep), StepsRun: int(p.StepsRun),
		TailOK: true, TailSignal: p.TailSignalAlignment, TailLoss: p.TailLoss,
	}
	switch p.Status {
	case results.StatusOK:
		r.Status = solver.OK
	case results.StatusDiverged:
		r.Status = solver.Diverged
	default:
		return solver.Result{}, false
	}
	return r, true
}
