package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
)

// Store keeps objects by name. Names are relative paths with forward slashes.
type Store interface {
	// Create starts a new object. It is not visible before Commit.
	Create(ctx context.Context, name string) (Writer, error)
	// Open opens an object for reading; fs.ErrNotExist if there is none.
	Open(ctx context.Context, name string) (Object, error)
	// List calls visit for every object whose name begins with prefix, in the order of names.
	List(ctx context.Context, prefix string, visit func(name string, size int64) error) error
	// Delete deletes an object; deleting one that does not exist is not an error.
	Delete(ctx context.Context, name string) error
	// DeleteVersion deletes an object if it is still the version that was opened, or does nothing
	// if there is none. Another version stays, and the error is errChanged.
	DeleteVersion(ctx context.Context, name, version string) error
}

// errChanged is returned by DeleteVersion for an object that was replaced since it was opened.
var errChanged = errors.New("object was replaced by another process")

// Writer writes one object.
type Writer interface {
	io.Writer
	// Commit makes the object durable and visible under its name. If the name is taken, it changes
	// nothing and returns fs.ErrExist.
	Commit() error
	// Discard drops an object that is not committed. After Commit it does nothing.
	Discard()
}

// Object is an object open for reading.
type Object interface {
	io.ReaderAt
	io.Closer
	Size() int64
	// Version distinguishes this object from earlier and later ones of the same name.
	Version() string
}

// Appender is a store that can append to an object, so that the spool needs no object for each
// group of shards.
type Appender interface {
	CreateLog(ctx context.Context, name string) (Log, error)
}

// Cleaner is a store in which a process that dies may leave files that are not objects.
type Cleaner interface {
	RemoveLeftovers(ctx context.Context, folder string) error
}

// Log is an object that grows, for one writer. What a successful Append has written is durable and
// can be read.
type Log interface {
	Append(ctx context.Context, chunks [][]byte) (offset int64, err error)
	Close() error
}

// ErrURL is returned for a text that is not the URL of a store.
var ErrURL = errors.New("use file:///absolute/path or s3://bucket")

// Open opens the store at a URL: file:///folder, or s3://bucket?region=...&prefix=folder/ with the
// options of gocloud.dev/blob/s3blob.
func Open(ctx context.Context, raw string) (Store, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("parse store URL %q: %w; %w", raw, err, ErrURL)
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" || u.Path == "" {
			return nil, fmt.Errorf("parse store URL %q: not an absolute path; %w", raw, ErrURL)
		}
		return OpenFolder(u.Path)
	case "s3":
		return openBucket(ctx, raw)
	default:
		return nil, fmt.Errorf("parse store URL %q: unknown scheme %q; %w", raw, u.Scheme, ErrURL)
	}
}
