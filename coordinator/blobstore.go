package coordinator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // the scheme s3
	"gocloud.dev/gcerrors"
)

// blobStore is a store in a bucket of object storage. An object is visible when its upload has ended; Create writes it on
// the condition that there is none (If-None-Match: *), which the service decides. S3 and its equals have this for single
// and for multipart uploads; a service without it would let the last writer win, which writes the same bytes.
type blobStore struct {
	bucket *blob.Bucket
	url    string
}

var _ Store = (*blobStore)(nil)

// OpenBlobStore opens a bucket by its URL, with the credentials of the environment:
// s3://bucket?region=eu-central-1&prefix=folder/ or s3://bucket?endpoint=https://host&use_path_style=true.
func OpenBlobStore(ctx context.Context, url string) (Store, error) {
	bucket, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", url, err)
	}
	ok, err := bucket.IsAccessible(ctx)
	if err == nil && !ok {
		err = fmt.Errorf("no such bucket, or no access to it: %w", fs.ErrNotExist)
	}
	if err != nil {
		bucket.Close()
		return nil, fmt.Errorf("store %s: %w", url, err)
	}
	return &blobStore{bucket, url}, nil
}

func (s *blobStore) String() string { return s.url }

func (s *blobStore) Create(ctx context.Context, name string) (Writer, error) {
	ctx, cancel := context.WithCancel(ctx)
	w, err := s.bucket.NewWriter(ctx, name, &blob.WriterOptions{IfNotExist: true, ContentType: "application/octet-stream"})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("create %s: %w", name, translate(err))
	}
	return &blobWriter{Writer: w, store: s, ctx: ctx, name: name, cancel: cancel}, nil
}

// blobWriter is an upload that is not ended.
type blobWriter struct {
	*blob.Writer
	store  *blobStore
	ctx    context.Context
	name   string
	cancel context.CancelFunc
	ended  bool
}

func (w *blobWriter) Commit() error {
	defer w.Discard()
	// A service may not know the condition for multipart uploads; whoever is there already is seen here.
	there, err := w.store.bucket.Exists(w.ctx, w.name)
	if err == nil && there {
		err = fs.ErrExist
	}
	if err != nil {
		return fmt.Errorf("publish %s: %w", w.name, translate(err))
	}
	w.ended = true
	defer w.cancel()
	if err := w.Close(); err != nil {
		return fmt.Errorf("publish %s: %w", w.name, translate(err))
	}
	return nil
}

// Discard ends the upload without an object: a writer whose context has ended publishes nothing.
func (w *blobWriter) Discard() {
	if w.ended {
		return
	}
	w.ended = true
	w.cancel()
	_ = w.Close() // says that the context has ended
}

func (s *blobStore) Open(ctx context.Context, name string) (Object, error) {
	a, err := s.bucket.Attributes(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, translate(err))
	}
	return &blobObject{s.bucket, ctx, name, a.Size, versionOf(a)}, nil
}

// versionOf is an object's entity tag and when it was written: the same bytes, written again, have the same tag.
func versionOf(a *blob.Attributes) string {
	return a.ETag + " " + a.ModTime.UTC().Format(time.RFC3339Nano)
}

// blobObject reads ranges of an object.
type blobObject struct {
	bucket  *blob.Bucket
	ctx     context.Context // of Open
	name    string
	size    int64
	version string
}

func (o *blobObject) Size() int64     { return o.size }
func (o *blobObject) Version() string { return o.version }
func (o *blobObject) Close() error    { return nil }

func (o *blobObject) ReadAt(p []byte, offset int64) (int, error) {
	if offset >= o.size {
		return 0, io.EOF
	}
	want := min(int64(len(p)), o.size-offset)
	r, err := o.bucket.NewRangeReader(o.ctx, o.name, offset, want, nil)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", o.name, translate(err))
	}
	defer r.Close()
	n, err := io.ReadFull(r, p[:want])
	if err == nil && want < int64(len(p)) {
		err = io.EOF
	}
	return n, err
}

func (s *blobStore) List(ctx context.Context, prefix string, visit func(name string, size int64) error) error {
	objects := s.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		o, err := objects.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", prefix, translate(err))
		}
		if err := visit(o.Key, o.Size); err != nil {
			return err
		}
	}
}

func (s *blobStore) Delete(ctx context.Context, name string) error {
	err := s.bucket.Delete(ctx, name)
	if err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	return nil
}

// DeleteVersion compares here, and has the service compare the entity tag as it deletes (If-Match), so that other bytes are
// never deleted. A service that does not know the condition leaves a moment between the two.
func (s *blobStore) DeleteVersion(ctx context.Context, name, version string) error {
	a, err := s.bucket.Attributes(ctx, name)
	if err == nil && versionOf(a) != version {
		err = ErrChanged
	}
	if err == nil {
		err = s.bucket.DeleteWithOptions(ctx, name, &blob.DeleteOptions{BeforeDelete: func(as func(any) bool) error {
			var request *s3.DeleteObjectInput
			if as(&request) {
				request.IfMatch = &a.ETag
			}
			return nil
		}})
	}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return nil
	case gcerrors.FailedPrecondition:
		err = ErrChanged
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	return nil
}

// translate makes the errors that callers act on those of package fs.
func translate(err error) error {
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case gcerrors.FailedPrecondition, gcerrors.AlreadyExists:
		return fmt.Errorf("%w: %w", fs.ErrExist, err)
	}
	return err
}
