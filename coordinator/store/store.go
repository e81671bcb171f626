package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
)

// Store keeps objects by name: spool and result sets. Names are relative paths with forward
// slashes.
type Store interface {
	// Create begins a new object. Nothing is visible before Commit.
	Create(ctx context.Context, name string) (Writer, error)
	// Open reads an object; fs.ErrNotExist if there is none.
	Open(ctx context.Context, name string) (Object, error)
	// List calls visit for every object whose name begins with prefix, in order.
	List(ctx context.Context, prefix string, visit func(name string, size int64) error) error
	// Delete removes an object; it is no error if there is none.
	Delete(ctx context.Context, name string) error
	// DeleteVersion removes an object as Delete does, if it is still the version that was opened.
	// Another one stays, and the error is ErrChanged.
	DeleteVersion(ctx context.Context, name, version string) error
}

// ErrChanged is returned where an object is not the version any more that a caller has seen.
var ErrChanged = errors.New("the object has been replaced meanwhile")

// Writer writes one object.
type Writer interface {
	io.Writer
	// Commit makes the object durable and visible under its name, unless there is one: then it
	// fails with fs.ErrExist and changes nothing.
	Commit() error
	// Discard gives the object up. After Commit it does nothing.
	Discard()
}

// Object is an object open for reading.
type Object interface {
	io.ReaderAt
	io.Closer
	Size() int64
	// Version tells this object from those that had its name before or get it later.
	Version() string
}

// logStore is a store that can append, so that the spool needs no object of its own for each group.
type Appender interface {
	CreateLog(ctx context.Context, name string) (Log, error)
}

// tidy is a store in which a process that dies leaves something behind besides objects.
type Cleaner interface {
	RemoveLeftovers(ctx context.Context, folder string) error
}

// segmentLog is an object that grows, for one writer. What Append returned for is durable and can
// be opened and read.
type Log interface {
	Append(ctx context.Context, chunks [][]byte) (offset int64, err error)
	Close() error
}

// ErrStoreURL is returned for a text that is no store's URL.
var ErrURL = errors.New("give file:///absolute/path or s3://bucket")

// OpenStore opens the store at a URL: file:///folder, or s3://bucket?region=...&prefix=folder/ with
// the options of gocloud.dev/blob/s3blob.
func Open(ctx context.Context, raw string) (Store, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("store URL %q: %w; %w", raw, err, ErrURL)
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" || u.Path == "" {
			return nil, fmt.Errorf("store URL %q: no absolute path; %w", raw, ErrURL)
		}
		return OpenFolder(u.Path)
	case "s3":
		return openBucket(ctx, raw)
	default:
		return nil, fmt.Errorf("store URL %q: unknown scheme %q; %w", raw, u.Scheme, ErrURL)
	}
}
