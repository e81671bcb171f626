package owner

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/phasegrid/phasegrid/coordinator/store"
)

// MarkPrefix is the prefix of the marks of owners, relative to a result set.
const MarkPrefix = ".owners/"

// MarkSet leaves the mark of a cluster in a result set.
func MarkSet(ctx context.Context, s store.Store, set, cluster string) error {
	err := create(ctx, s, path.Join(set, MarkPrefix+cluster), []byte(cluster+"\n"))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// IsShared reports whether a result set has the mark of an owner for which own is false.
func IsShared(ctx context.Context, s store.Store, set string, own func(cluster string) bool) (shared bool, err error) {
	err = s.List(ctx, path.Join(set, MarkPrefix)+"/", func(name string, _ int64) error {
		shared = shared || !own(path.Base(name))
		return nil
	})
	return shared, err
}
