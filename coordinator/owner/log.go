package owner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/store"
)

const (
	logPrefix = "spool/owners/"
	// maxEntryBytes bounds what is read of an entry.
	maxEntryBytes = 4 << 10
	// keptEntries are left of the log. A former leader that continues after a long suspension
	// compares its own entry with those that followed.
	keptEntries = 32
)

// entry is one object of the log of owners.
type entry struct {
	Cluster string    `json:"cluster"`
	Nonce   string    `json:"nonce"`             // in the ledger before the entry is created
	Since   int       `json:"since"`             // number of the entry with which the term began
	Adopted string    `json:"adopted,omitempty"` // the cluster from which the store was taken
	Epoch   uint64    `json:"epoch"`
	Address string    `json:"address"`
	Time    time.Time `json:"time"`

	number int
}

func entryName(number int) string { return fmt.Sprintf("%s%010d", logPrefix, number) }

// history is the log of a store as it was read.
type history struct {
	entries []entry // those that can be read, by number
	last    int     // number of the last entry, read or not
}

// newest returns the newest entry that can be read.
func (h history) newest() (entry, bool) {
	if len(h.entries) == 0 {
		return entry{}, false
	}
	return h.entries[len(h.entries)-1], true
}

// readLog reads the entries with a number above after. An entry that is damaged is left out.
func readLog(ctx context.Context, s store.Store, after int) (history, error) {
	h := history{last: after}
	var names []string
	err := s.List(ctx, logPrefix, func(name string, _ int64) error {
		n, err := strconv.Atoi(path.Base(name))
		if err == nil && n > after {
			names = append(names, name)
			h.last = n
		}
		return nil
	})
	if err != nil {
		return history{}, fmt.Errorf("list owners of %v: %w", s, err)
	}
	for _, name := range names {
		e, ok, err := readEntry(ctx, s, name)
		if err != nil {
			return history{}, fmt.Errorf("read owner of %v: %w", s, err)
		}
		if ok {
			h.entries = append(h.entries, e)
		}
	}
	return h, nil
}

// readEntry reads one entry; false if it is damaged or was deleted meanwhile.
func readEntry(ctx context.Context, s store.Store, name string) (entry, bool, error) {
	o, err := s.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return entry{}, false, nil
	}
	if err != nil {
		return entry{}, false, err
	}
	defer o.Close()
	data, err := io.ReadAll(io.NewSectionReader(o, 0, min(o.Size(), maxEntryBytes)))
	if err != nil {
		return entry{}, false, err
	}
	var e entry
	if json.Unmarshal(data, &e) != nil || e.Cluster == "" || e.Nonce == "" {
		return entry{}, false, nil
	}
	e.number, err = strconv.Atoi(path.Base(name))
	return e, err == nil, nil
}

// appendEntry creates an entry; fs.ErrExist if its number is taken.
func appendEntry(ctx context.Context, s store.Store, e entry) error {
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode owner of %v: %w", s, err)
	}
	return create(ctx, s, entryName(e.number), append(data, '\n'))
}

// create writes an object unless there is one.
func create(ctx context.Context, s store.Store, name string, data []byte) error {
	w, err := s.Create(ctx, name)
	if err != nil {
		return err
	}
	defer w.Discard()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Commit()
}

// trimLog deletes old entries up to number.
func trimLog(ctx context.Context, s store.Store, number int) error {
	var old []string
	err := s.List(ctx, logPrefix, func(name string, _ int64) error {
		if n, err := strconv.Atoi(path.Base(name)); err == nil && n <= number {
			old = append(old, name)
		}
		return nil
	})
	for _, name := range old {
		err = errors.Join(err, s.Delete(ctx, name))
	}
	return err
}
