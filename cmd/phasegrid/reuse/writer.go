package reuse

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/phasegrid/phasegrid/results"
)

// memoWriter builds a memo, which is complete after finish. Ids are sorted bucket by bucket, so
// that few of them are in memory. One goroutine uses it.
type memoWriter struct {
	folder  string
	rows    *os.File
	out     *bufio.Writer
	offset  int64
	buckets [256]*bufio.Writer // of unsorted entries, by the first byte of the id
	files   []*os.File
	record  []byte
}

// newMemoWriter begins a memo in a folder, which is emptied.
func newMemoWriter(folder string) (*memoWriter, error) {
	if err := os.RemoveAll(folder); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	w := &memoWriter{folder: folder}
	var err error
	if w.rows, err = os.Create(filepath.Join(folder, rowsName)); err != nil {
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

// add stores the rows of a point.
func (w *memoWriter) add(id [16]byte, rows *results.PointRows) error {
	w.record = appendRecord(append(w.record[:0], 0, 0, 0, 0), rows)
	binary.LittleEndian.PutUint32(w.record, uint32(len(w.record)-4))
	if _, err := w.out.Write(w.record); err != nil {
		return err
	}
	entry := binary.LittleEndian.AppendUint64(slices.Clone(id[:]), uint64(w.offset))
	w.offset += int64(len(w.record))
	_, err := w.buckets[id[0]].Write(entry)
	return err
}

// finish sorts the ids and closes the files. Of points that were added twice, the first counts.
func (w *memoWriter) finish() error {
	defer w.close()
	if err := w.out.Flush(); err != nil {
		return err
	}
	ids, err := os.Create(filepath.Join(w.folder, idsName))
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
