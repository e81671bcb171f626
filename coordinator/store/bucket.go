package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // registers the scheme s3
	"gocloud.dev/gcerrors"
)

// bucket is a store in a bucket of object storage. An object becomes visible when its upload ends.
// Create uploads it on the condition that there is none (If-None-Match: *), which the service
// decides. S3 and compatible services support this for single and multipart uploads; with a service
// that does not, the last writer wins, and writes the same bytes.
//
// A request that gets no answer, because the connection is cut or the service hangs, fails after
// timeout; the caller retries.
type bucket struct {
	bucket  *blob.Bucket
	url     string
	timeout time.Duration // of a request without an answer
}

var _ Store = (*bucket)(nil)

// defaultTimeout suffices to upload what a writer buffers, 25 MiB, over a slow line.
const defaultTimeout = 2 * time.Minute

var errSilent = errors.New("object storage does not answer")

// bounded limits a request to the timeout.
func (s *bucket) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, s.timeout, errSilent)
}

// failure is the cause of a failed request. The timeout is reported as errSilent, not as a deadline
// of the caller.
func failure(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		return cause
	}
	return translate(err)
}

// openBucket opens a bucket by its URL, with the credentials of the environment:
// s3://bucket?region=eu-central-1&prefix=folder/ or
// s3://bucket?endpoint=https://host&use_path_style=true.
func openBucket(ctx context.Context, url string) (Store, error) {
	opened, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", url, err)
	}
	ok, err := opened.IsAccessible(ctx)
	if err == nil && !ok {
		err = fmt.Errorf("bucket does not exist or is not accessible: %w", fs.ErrNotExist)
	}
	if err != nil {
		opened.Close()
		return nil, fmt.Errorf("open store %s: %w", url, err)
	}
	return &bucket{opened, url, defaultTimeout}, nil
}

// WithTimeout returns the same store with another timeout of requests without an answer.
func (s *bucket) WithTimeout(d time.Duration) Store {
	other := *s
	other.timeout = d
	return &other
}

func (s *bucket) String() string { return s.url }

func (s *bucket) Create(ctx context.Context, name string) (Writer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	w, err := s.bucket.NewWriter(
		ctx, name, &blob.WriterOptions{IfNotExist: true, ContentType: "application/octet-stream"},
	)
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("create %s: %w", name, translate(err))
	}
	return &bucketWriter{Writer: w, store: s, ctx: ctx, name: name, cancel: cancel}, nil
}

// bucketWriter is an upload that has not ended.
type bucketWriter struct {
	*blob.Writer
	store  *bucket
	ctx    context.Context
	name   string
	cancel context.CancelCauseFunc
	ended  bool
}

// bound cancels the upload if stop is not called within the timeout.
func (w *bucketWriter) bound() (stop func() bool) {
	return time.AfterFunc(w.store.timeout, func() { w.cancel(errSilent) }).Stop
}

func (w *bucketWriter) Write(p []byte) (int, error) {
	defer w.bound()()
	n, err := w.Writer.Write(p)
	if err != nil {
		return n, fmt.Errorf("write %s: %w", w.name, failure(w.ctx, err))
	}
	return n, nil
}

func (w *bucketWriter) Commit() error {
	defer w.Discard()
	defer w.bound()()
	// Some services ignore the condition for multipart uploads: an existing object is found here.
	there, err := w.store.bucket.Exists(w.ctx, w.name)
	if err == nil && there {
		err = fs.ErrExist
	}
	if err != nil {
		return fmt.Errorf("publish %s: %w", w.name, failure(w.ctx, err))
	}
	w.ended = true
	defer w.cancel(nil)
	if err := w.Close(); err != nil {
		return fmt.Errorf("publish %s: %w", w.name, failure(w.ctx, err))
	}
	return nil
}

// Discard ends the upload without an object: a writer whose context is cancelled publishes nothing.
func (w *bucketWriter) Discard() {
	if w.ended {
		return
	}
	w.ended = true
	w.cancel(nil)
	_ = w.Close() // returns that the context is cancelled
}

func (s *bucket) Open(ctx context.Context, name string) (Object, error) {
	asking, cancel := s.bounded(ctx)
	defer cancel()
	a, err := s.bucket.Attributes(asking, name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, failure(asking, err))
	}
	return &bucketObject{s, ctx, name, a.Size, versionOf(a)}, nil
}

// versionOf is an object's entity tag and modification time: equal bytes that are written again
// have the same tag.
func versionOf(a *blob.Attributes) string {
	return a.ETag + " " + a.ModTime.UTC().Format(time.RFC3339Nano)
}

// bucketObject reads ranges of an object.
type bucketObject struct {
	store   *bucket
	ctx     context.Context // of Open
	name    string
	size    int64
	version string
}

func (o *bucketObject) Size() int64     { return o.size }
func (o *bucketObject) Version() string { return o.version }
func (o *bucketObject) Close() error    { return nil }

func (o *bucketObject) ReadAt(p []byte, offset int64) (int, error) {
	if offset >= o.size {
		return 0, io.EOF
	}
	want := min(int64(len(p)), o.size-offset)
	ctx, cancel := o.store.bounded(o.ctx)
	defer cancel()
	r, err := o.store.bucket.NewRangeReader(ctx, o.name, offset, want, nil)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", o.name, failure(ctx, err))
	}
	defer r.Close()
	n, err := io.ReadFull(r, p[:want])
	if err != nil {
		return n, fmt.Errorf("read %s: %w", o.name, failure(ctx, err))
	}
	if want < int64(len(p)) {
		return n, io.EOF
	}
	return n, nil
}

func (s *bucket) List(ctx context.Context, prefix string, visit func(name string, size int64) error) error {
	objects := s.bucket.List(&blob.ListOptions{Prefix: prefix})
	next := func() (*blob.ListObject, error) {
		ctx, cancel := s.bounded(ctx)
		defer cancel()
		o, err := objects.Next(ctx)
		if err != nil {
			err = failure(ctx, err)
		}
		return o, err
	}
	for {
		o, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", prefix, err)
		}
		if err := visit(o.Key, o.Size); err != nil {
			return err
		}
	}
}

func (s *bucket) Delete(ctx context.Context, name string) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	err := s.bucket.Delete(ctx, name)
	if err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("delete %s: %w", name, failure(ctx, err))
	}
	return nil
}

// DeleteVersion compares versions itself, and has the service compare the entity tag with the
// deletion (If-Match), so that other bytes are never deleted. With a service that ignores the
// condition, an object that is replaced between the two is deleted.
func (s *bucket) DeleteVersion(ctx context.Context, name, version string) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	a, err := s.bucket.Attributes(ctx, name)
	if err == nil && versionOf(a) != version {
		err = errChanged
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
		err = errChanged
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", name, failure(ctx, err))
	}
	return nil
}

// translate maps the errors that callers act on to those of package fs.
func translate(err error) error {
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case gcerrors.FailedPrecondition, gcerrors.AlreadyExists:
		return fmt.Errorf("%w: %w", fs.ErrExist, err)
	}
	return err
}
