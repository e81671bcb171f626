package bench

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"github.com/phasegrid/phasegrid/coordinator/store"
)

// scratchURL returns the URL of a scratch folder, or prefix, below a store.
func scratchURL(raw, name string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("--store: %w", err)
	}
	if u.Scheme == "file" {
		return u.JoinPath(name), nil
	}
	query := u.Query()
	query.Set("prefix", query.Get("prefix")+name+"/")
	u.RawQuery = query.Encode()
	return u, nil
}

// empty removes everything below a scratch URL.
func empty(ctx context.Context, s store.Store, u *url.URL) error {
	if u.Scheme == "file" {
		return os.RemoveAll(u.Path)
	}
	var names []string
	err := s.List(ctx, "", func(name string, _ int64) error { names = append(names, name); return nil })
	if err != nil {
		return fmt.Errorf("list %s to empty it: %w", u, err)
	}
	for _, name := range names {
		if err := s.Delete(ctx, name); err != nil {
			return fmt.Errorf("remove %s: %w", name, err)
		}
	}
	return nil
}
