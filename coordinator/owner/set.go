package owner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/results"
)

// MarkSet leaves the mark of the cluster in a result set.
func (c *Claim) MarkSet(ctx context.Context, s store.Store, set string) error {
	name := path.Join(set, results.OwnersName, c.Cluster)
	o, err := s.Open(ctx, name)
	if err == nil {
		return o.Close()
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = create(ctx, s, name, nil)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("mark result set %s: %w", set, err)
	}
	return nil
}

// IsShared reports whether a result set has the mark of another owner.
func (c *Claim) IsShared(ctx context.Context, s store.Store, set string) (shared bool, err error) {
	err = s.List(ctx, path.Join(set, results.OwnersName)+"/", func(name string, _ int64) error {
		shared = shared || !c.Owns(path.Base(name))
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("list owners of result set %s: %w", set, err)
	}
	return shared, nil
}

// Owns reports whether an owner is this cluster, under this id or a former one.
func (c *Claim) Owns(id string) bool { return id == c.Cluster || slices.Contains(c.former, id) }

// IsMark reports whether the object of a result set with this path in it is a mark.
func IsMark(name string) bool { return path.Dir(name) == results.OwnersName }
