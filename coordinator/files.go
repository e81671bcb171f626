package coordinator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/results"
)

// How a leader changes named files. Its process may be suspended at any moment and continue when
// another one has led for long. So nothing here overwrites a file, and a deletion removes only the
// version that was seen while this process led.

// deleteVersion deletes an object in the version that was opened. The leadership is confirmed after
// it was opened: no later leader can have written that version, and what it writes is another one.
func (t *term) deleteVersion(ctx context.Context, name string, seen store.Object) error {
	if err := t.commit(ctx, nil); err != nil {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	return t.cfg.Store.DeleteVersion(ctx, name, seen.Version())
}

// writeFile writes a small file of a result set and replaces one with other contents. Readers find
// none for a moment.
func (t *term) writeFile(ctx context.Context, name string, data []byte) error {
	err := t.createFile(ctx, name, data)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	there, err := t.cfg.Store.Open(ctx, name)
	if err != nil {
		return err
	}
	defer there.Close()
	same, err := hasBytes(there, data)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if same {
		return nil
	}
	t.failpoint("before-replace")
	if err := t.deleteVersion(ctx, name, there); err != nil {
		return err
	}
	t.failpoint("between-replace")
	return t.createFile(ctx, name, data)
}

// createFile writes a file unless there is one.
func (t *term) createFile(ctx context.Context, name string, data []byte) error {
	w, err := t.cfg.Store.Create(ctx, name)
	if err != nil {
		return err
	}
	defer w.Discard()
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return w.Commit()
}

// hasBytes compares the contents of an object.
func hasBytes(o store.Object, data []byte) (bool, error) {
	if o.Size() != int64(len(data)) {
		return false, nil
	}
	there := make([]byte, len(data))
	_, err := io.ReadFull(io.NewSectionReader(o, 0, o.Size()), there)
	return bytes.Equal(there, data), err
}

// removeStale deletes a file if it is the one that a part was stored with before, so that it can be
// replaced. Any other file stays.
func (t *term) removeStale(ctx context.Context, name string, before ledger.PartFile) error {
	there, err := t.cfg.Store.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer there.Close()
	found, err := hashOf(there)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if found.SHA256 != before.SHA256 {
		return nil
	}
	t.failpoint("before-replace")
	if err := t.deleteVersion(ctx, name, there); err != nil {
		return err
	}
	t.failpoint("between-replace")
	return nil
}

// verifyFile reads a published file back and compares it with what was merged, before any key
// refers to it. A file that differs is deleted.
func (t *term) verifyFile(ctx context.Context, name string, f results.File) error {
	o, err := t.cfg.Store.Open(ctx, name)
	if err != nil {
		return err
	}
	defer o.Close()
	if err := results.Check(o, o.Size(), f); err != nil {
		return errors.Join(fmt.Errorf("verify %s: %w", name, err), t.deleteVersion(ctx, name, o))
	}
	return nil
}

// fileVersion is a file in the version that was opened.
type fileVersion struct {
	name, version string
	size          int64
}

// statFile opens a file to get its version and size; false if there is none.
func (t *term) statFile(ctx context.Context, name string) (fileVersion, bool, error) {
	o, err := t.cfg.Store.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return fileVersion{}, false, nil
	}
	if err != nil {
		return fileVersion{}, false, fmt.Errorf("stat %s: %w", name, err)
	}
	defer o.Close()
	return fileVersion{name, o.Version(), o.Size()}, true, nil
}

// deleteAll deletes files of a result set as deleteVersion does, with one confirmation for all.
func (t *term) deleteAll(ctx context.Context, set string, files []fileVersion) error {
	if err := t.commit(ctx, nil); err != nil {
		return fmt.Errorf("delete files of %s: %w", set, err)
	}
	var err error
	for _, f := range files {
		err = errors.Join(err, t.cfg.Store.DeleteVersion(ctx, f.name, f.version))
		t.failpoint("between-deletions")
	}
	return err
}

// removeFiles deletes every file of the result set of a sweep.
func (t *term) removeFiles(ctx context.Context, e *entry) error {
	var files []fileVersion
	err := t.cfg.Store.List(ctx, e.design.set+"/", func(name string, _ int64) error {
		f, there, err := t.statFile(ctx, name)
		if there {
			files = append(files, f)
		}
		return err
	})
	if err != nil {
		return err
	}
	return t.deleteAll(ctx, e.design.set, files)
}

// hashObject returns the size and hash of an object.
func hashObject(ctx context.Context, s store.Store, name string) (ledger.PartFile, error) {
	o, err := s.Open(ctx, name)
	if err != nil {
		return ledger.PartFile{}, err
	}
	defer o.Close()
	f, err := hashOf(o)
	if err != nil {
		return ledger.PartFile{}, fmt.Errorf("read %s: %w", name, err)
	}
	return f, nil
}

func hashOf(o store.Object) (ledger.PartFile, error) {
	h := sha256.New()
	_, err := io.Copy(h, io.NewSectionReader(o, 0, o.Size()))
	return ledger.PartFile{Bytes: o.Size(), SHA256: [32]byte(h.Sum(nil))}, err
}
