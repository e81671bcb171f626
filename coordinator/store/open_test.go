package store_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/phasegrid/phasegrid/coordinator/store"
)

// folderStore opens a store in a temporary folder.
func folderStore(t *testing.T) (store.Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

// s3Store opens a bucket of an S3 server in this process.
func s3Store(t *testing.T) store.Store {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	return s3At(t, gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
}

// s3At opens the bucket of a service.
func s3At(t *testing.T, service http.Handler) store.Store {
	t.Helper()
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	s, err := store.Open(
		t.Context(),
		"s3://bucket?region=us-east-1&use_path_style=true&disable_https=true&endpoint="+server.URL,
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
