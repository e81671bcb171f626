package owner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
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

// listLog returns the numbers of the entries above after, in order.
func listLog(ctx context.Context, s store.Store, after int) (numbers []int, err error) {
	err = s.List(ctx, logPrefix, func(name string, _ int64) error {
		if n, err := strconv.Atoi(path.Base(name)); err == nil && n > after {
			numbers = append(numbers, n)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list owners of %v: %w", s, err)
	}
	return numbers, nil
}

// newestEntry returns the newest entry that can be read; nil if there is none. The number of the
// last one, readable or not, is last.
func newestEntry(ctx context.Context, s store.Store) (newest *entry, last int, err error) {
	numbers, err := listLog(ctx, s, 0)
	if err != nil || len(numbers) == 0 {
		return nil, 0, err
	}
	for _, n := range slices.Backward(numbers) {
		if newest, err = readEntry(ctx, s, n); newest != nil || err != nil {
			break
		}
	}
	return newest, numbers[len(numbers)-1], err
}

// readEntry reads one entry; nil if it is damaged or was deleted meanwhile.
func readEntry(ctx context.Context, s store.Store, number int) (*entry, error) {
	o, err := s.Open(ctx, entryName(number))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read owner of %v: %w", s, err)
	}
	defer o.Close()
	data, err := io.ReadAll(io.NewSectionReader(o, 0, min(o.Size(), maxEntryBytes)))
	if err != nil {
		return nil, fmt.Errorf("read owner of %v: %w", s, err)
	}
	e := entry{number: number}
	if json.Unmarshal(data, &e) != nil || e.Cluster == "" || e.Nonce == "" {
		return nil, nil
	}
	return &e, nil
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

// trimLog deletes entries up to number.
func trimLog(ctx context.Context, s store.Store, number int) error {
	numbers, err := listLog(ctx, s, 0)
	for _, n := range numbers {
		if n <= number {
			err = errors.Join(err, s.Delete(ctx, entryName(n)))
		}
	}
	return err
}
