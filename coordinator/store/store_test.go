package store_test

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/phasegrid/phasegrid/coordinator/store"
)

// TestStore is the conformance suite of stores.
func TestStore(t *testing.T) {
	stores := map[string]func(t *testing.T) store.Store{
		"file": func(t *testing.T) store.Store { s, _ := folderStore(t); return s },
		"s3":   s3Store,
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Run("create", func(t *testing.T) { testCreate(t, s) })
			t.Run("large", func(t *testing.T) { testLarge(t, s) })
			t.Run("race", func(t *testing.T) { testRace(t, s) })
			t.Run("delete version", func(t *testing.T) { testDeleteVersion(t, s) })
			t.Run("list", func(t *testing.T) { testList(t, s) })
		})
	}
}

func write(t *testing.T, s store.Store, name string, data []byte) error {
	t.Helper()
	w, err := s.Create(t.Context(), name)
	if err != nil {
		t.Fatalf("Create(%q) = %v", name, err)
	}
	defer w.Discard()
	if _, err := w.Write(data); err != nil {
		t.Fatalf("Write = %v", err)
	}
	return w.Commit()
}

func read(t *testing.T, s store.Store, name string) []byte {
	t.Helper()
	o, err := s.Open(t.Context(), name)
	if err != nil {
		t.Fatalf("Open(%q) = %v", name, err)
	}
	defer o.Close()
	data, err := io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
	if err != nil {
		t.Fatalf("read %q: %v", name, err)
	}
	return data
}

func testCreate(t *testing.T, s store.Store) {
	if _, err := s.Open(t.Context(), "c/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of nothing = %v", err)
	}
	if err := write(t, s, "c/x", []byte("first")); err != nil {
		t.Fatalf("Commit = %v", err)
	}
	if err := write(t, s, "c/x", []byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Commit over an object = %v, want fs.ErrExist", err)
	}
	w, err := s.Create(t.Context(), "c/y")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), "c/y"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an object is visible before Commit: %v", err)
	}
	w.Discard()
	w.Discard()
	if _, err := s.Open(t.Context(), "c/y"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an object is visible after Discard: %v", err)
	}
	if got := read(t, s, "c/x"); string(got) != "first" {
		t.Errorf("read %q", got)
	}
	o, err := s.Open(t.Context(), "c/x")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	middle := make([]byte, 3)
	if _, err := o.ReadAt(middle, 1); err != nil || string(middle) != "irs" {
		t.Errorf("ReadAt = %q, %v", middle, err)
	}
	if n, err := o.ReadAt(make([]byte, 9), 2); n != 3 || !errors.Is(err, io.EOF) {
		t.Errorf("ReadAt beyond the end = %d, %v; want 3, EOF", n, err)
	}
	for range 2 {
		if err := s.Delete(t.Context(), "c/x"); err != nil {
			t.Errorf("Delete = %v", err)
		}
	}
	if err := write(t, s, "c/x", []byte("again")); err != nil {
		t.Errorf("Commit after Delete = %v", err)
	}
}

// testDeleteVersion: an object is deleted only in the version that was opened.
func testDeleteVersion(t *testing.T, s store.Store) {
	version := func() string {
		o, err := s.Open(t.Context(), "d/x")
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		return o.Version()
	}
	if err := write(t, s, "d/x", []byte("first")); err != nil {
		t.Fatal(err)
	}
	first := version()
	if version() != first {
		t.Error("an object that nobody changed has two versions")
	}
	if err := s.Delete(t.Context(), "d/x"); err != nil {
		t.Fatal(err)
	}
	if err := write(t, s, "d/x", []byte("other")); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteVersion(t.Context(), "d/x", first); !errors.Is(err, store.ErrChanged) {
		t.Errorf("DeleteVersion of an older version = %v, want ErrChanged", err)
	}
	if got := read(t, s, "d/x"); string(got) != "other" {
		t.Errorf("read %q", got)
	}
	present := version()
	for range 2 {
		if err := s.DeleteVersion(t.Context(), "d/x", present); err != nil {
			t.Errorf("DeleteVersion = %v", err)
		}
	}
	if _, err := s.Open(t.Context(), "d/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after DeleteVersion Open = %v", err)
	}
}

func testLarge(t *testing.T, s store.Store) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	if err := write(t, s, "l/large", data); err != nil {
		t.Fatal(err)
	}
	if err := write(t, s, "l/large", data[1:]); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Commit over a large object = %v", err)
	}
	if got := read(t, s, "l/large"); !bytes.Equal(got, data) {
		t.Errorf("read %d bytes, or others", len(got))
	}
}

// TestS3DeletesThatVersionOnly: another process replaces the object after its version was compared,
// and the service compares again.
func TestS3DeletesThatVersionOnly(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	service := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	s := s3At(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodDelete {
			service.ServeHTTP(w, r)
			return
		}
		other := []byte("other")
		_, err := backend.PutObject("bucket", "x", map[string]string{}, bytes.NewReader(other), int64(len(other)), nil)
		if err != nil {
			t.Error(err)
		}
		// The fake service ignores the condition, so it is checked here as S3 does.
		if tag := r.Header.Get("If-Match"); tag != "" && tag != fmt.Sprintf(`"%x"`, md5.Sum(other)) {
			w.WriteHeader(http.StatusPreconditionFailed)
			fmt.Fprint(w, "<Error><Code>PreconditionFailed</Code></Error>")
			return
		}
		service.ServeHTTP(w, r)
	}))
	if err := write(t, s, "x", []byte("first")); err != nil {
		t.Fatal(err)
	}
	o, err := s.Open(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteVersion(t.Context(), "x", o.Version()); !errors.Is(err, store.ErrChanged) {
		t.Errorf("DeleteVersion = %v, want ErrChanged", err)
	}
	if got := read(t, s, "x"); string(got) != "other" {
		t.Errorf("read %q", got)
	}
}

// TestDyingWhileDeleting: a file that was set aside by a process that died gets its name back,
// unless the name is taken.
func TestDyingWhileDeleting(t *testing.T) {
	s, dir := folderStore(t)
	for name, data := range map[string]string{
		"x.parquet": "old", ".deleting-ABC-x.parquet": "older", ".deleting-ABC-y-z.parquet": "alone",
	} {
		if err := os.MkdirAll(filepath.Join(dir, "set"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "set", name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.(store.Cleaner).RemoveLeftovers(t.Context(), "set"); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "set"))
	if err != nil || len(entries) != 2 {
		t.Errorf("there are %v, %v", entries, err)
	}
	if x, y := read(t, s, "set/x.parquet"), read(t, s, "set/y-z.parquet"); string(x) != "old" || string(y) != "alone" {
		t.Errorf("read %q and %q", x, y)
	}
}

// testRace: of many writers of one name exactly one wins, and its bytes are stored.
func testRace(t *testing.T, s store.Store) {
	var mu sync.Mutex
	var won []string
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			text := fmt.Sprint("writer ", i)
			err := write(t, s, "r/x", []byte(text))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, text)
			} else if !errors.Is(err, fs.ErrExist) {
				t.Errorf("Commit = %v", err)
			}
		})
	}
	group.Wait()
	if len(won) != 1 || string(read(t, s, "r/x")) != won[0] {
		t.Errorf("winners %v, there is %q", won, read(t, s, "r/x"))
	}
}

func testList(t *testing.T, s store.Store) {
	for _, name := range []string{"li/b/2", "li/a", "li/b/10", "lo/x"} {
		if err := write(t, s, name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	list := func(prefix string) []string {
		var names []string
		err := s.List(t.Context(), prefix, func(name string, size int64) error {
			if size != int64(len(name)) {
				t.Errorf("%s has %d bytes", name, size)
			}
			names = append(names, name)
			return nil
		})
		if err != nil {
			t.Errorf("List(%q) = %v", prefix, err)
		}
		return names
	}
	if got, want := list("li/"), []string{"li/a", "li/b/10", "li/b/2"}; !slices.Equal(got, want) {
		t.Errorf("List = %v, want %v", got, want)
	}
	if got, want := list("li/b/1"), []string{"li/b/10"}; !slices.Equal(got, want) {
		t.Errorf("List = %v, want %v", got, want)
	}
	if got := list("nothing/"); len(got) != 0 {
		t.Errorf("List of nothing = %v", got)
	}
}

// TestFolderNames: no name leads out of the folder, and leftovers of a crash are no objects.
func TestFolderNames(t *testing.T) {
	s, dir := folderStore(t)
	for _, name := range []string{"../x", "/etc/passwd", "a/../../x", "", "a/.writing-1"} {
		if w, err := s.Create(t.Context(), name); err == nil {
			w.Discard()
			t.Errorf("Create(%q) works", name)
		}
		if o, err := s.Open(t.Context(), name); err == nil {
			o.Close()
			t.Errorf("Open(%q) works", name)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".writing-123"), []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := s.List(t.Context(), "", func(name string, _ int64) error { return fmt.Errorf("listed %q", name) })
	if err != nil {
		t.Error(err)
	}
}

func TestOpenErrors(t *testing.T) {
	for _, url := range []string{"", "folder", "file://host/x", "ftp://x", "file:", "s3://"} {
		if _, err := store.Open(t.Context(), url); err == nil || !strings.Contains(err.Error(), "store") {
			t.Errorf("Open(%q) = %v", url, err)
		}
	}
}
