package reuse

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"syscall"

	"github.com/phasegrid/phasegrid/results"
)

// The files of a memo.
const (
	rowsName = "rows" // records, each with its length before it
	idsName  = "ids"  // sorted entries
)

// memoEntry is one entry of the file of ids.
type memoEntry struct {
	id     [16]byte
	offset int64
}

const memoEntryBytes = 16 + 8

// Memo has the rows of points of earlier sweeps. It is safe for concurrent use.
type Memo struct {
	folder string
	rows   *os.File
	ids    []byte // the file, mapped
}

// Open opens the memo in a folder.
func Open(folder string) (*Memo, error) {
	f, err := os.Open(filepath.Join(folder, idsName))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	m := &Memo{folder: folder}
	if info.Size() > 0 {
		m.ids, err = syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
		if err != nil {
			return nil, fmt.Errorf("map %s: %w", f.Name(), err)
		}
	}
	if m.rows, err = os.Open(filepath.Join(folder, rowsName)); err != nil {
		return nil, errors.Join(err, syscall.Munmap(m.ids))
	}
	return m, nil
}

// Folder is where the memo is, for Open in another process.
func (m *Memo) Folder() string { return m.folder }

// Close releases the memo's files. On nil it does nothing.
func (m *Memo) Close() {
	if m == nil {
		return
	}
	m.rows.Close()
	if m.ids != nil {
		_ = syscall.Munmap(m.ids) // cannot fail: it is a mapping of ours
	}
}

// find returns the offset of a point's record.
func (m *Memo) find(id [16]byte) (offset int64, ok bool) {
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

// Rows returns the rows of a point, and whether the memo has them.
func (m *Memo) Rows(id [16]byte) (rows results.PointRows, ok bool, err error) {
	offset, ok := m.find(id)
	if !ok {
		return rows, false, nil
	}
	var length [4]byte
	_, err = m.rows.ReadAt(length[:], offset)
	record := make([]byte, binary.LittleEndian.Uint32(length[:]))
	if err == nil {
		_, err = m.rows.ReadAt(record, offset+4)
	}
	if err == nil {
		rows, err = decodeRecord(record)
	}
	if err != nil {
		return results.PointRows{}, false, fmt.Errorf("read a reused point from %s: %w; --no-reuse solves all points",
			m.rows.Name(), err)
	}
	return rows, true, nil
}
