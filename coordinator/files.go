package coordinator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"reflect"
	"strings"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/owner"
	"github.com/phasegrid/phasegrid/coordinator/store"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
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

// errShared is the cause of an error about a file that cannot be replaced, because the result set
// is also that of another owner.
var errShared = errors.New("the result set is also that of another owner")

// foreignFileError is the error for a file in the place of one of a result set. It stays until
// someone has moved it away.
type foreignFileError struct {
	file  fileVersion
	cause error // why it is not taken for the one that belongs there
}

func (e *foreignFileError) Error() string {
	return fmt.Sprintf(
		"publish %s: a file with different contents exists (%v); move it away so that this one can be stored",
		e.file.name, e.cause,
	)
}

func (e *foreignFileError) Unwrap() error { return e.cause }

// foreign is the error for a file that stands in the place of another one.
func foreign(name string, there store.Object, cause error) error {
	return &foreignFileError{fileVersion{name, there.Version(), there.Size()}, cause}
}

// writeFile writes a small file of a result set and replaces one with other contents. Readers find
// none for a moment. In a set of several owners nothing is replaced: a file stays if it says the
// same.
func (t *term) writeFile(ctx context.Context, set, name string, data []byte) error {
	full := path.Join(set, name)
	there, err := t.cfg.Store.Open(ctx, full)
	if errors.Is(err, fs.ErrNotExist) {
		if err := t.createFile(ctx, full, data); !errors.Is(err, fs.ErrExist) {
			return err
		}
		there, err = t.cfg.Store.Open(ctx, full) // another owner was first
	}
	if err != nil {
		return err
	}
	defer there.Close()
	found, err := readSmall(there)
	if err != nil {
		return fmt.Errorf("read %s: %w", full, err)
	}
	if bytes.Equal(found, data) {
		return nil
	}
	if shared, err := t.claim.IsShared(ctx, t.cfg.Store, set); err != nil {
		return err
	} else if shared {
		if says(name, found, data) {
			return nil
		}
		return foreign(full, there, errShared)
	}
	t.failpoint("before-replace")
	if err := t.deleteVersion(ctx, full, there); err != nil {
		return err
	}
	t.failpoint("between-replace")
	return t.createFile(ctx, full, data)
}

// says reports whether a file of another owner says the same as the one that would be written: the
// sweep file may ask for other figures, and the manifest may be of another build.
func says(name string, there, data []byte) bool {
	switch name {
	case results.SweepName:
		a, err := sweep.Decode(there)
		if err != nil {
			return false
		}
		b, err := sweep.Decode(data)
		return err == nil && bytes.Equal(a.Canonical(), b.Canonical())
	case results.ManifestName:
		a, err := results.ParseManifest(there)
		if err != nil {
			return false
		}
		b, err := results.ParseManifest(data)
		a.GitRevision = b.GitRevision
		return err == nil && reflect.DeepEqual(a, b)
	}
	return false
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

// readSmall returns the contents of a small file, or what is enough to tell it from one.
func readSmall(o store.Object) ([]byte, error) {
	return io.ReadAll(io.NewSectionReader(o, 0, min(o.Size(), maxSmallFiles)))
}

// removeStale deletes a file if it is the one that a part was stored with before, so that it can be
// replaced. Any other file stays.
func (t *term) removeStale(ctx context.Context, set string, before ledger.PartFile) error {
	name := path.Join(set, before.Path)
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
	if shared, err := t.claim.IsShared(ctx, t.cfg.Store, set); err != nil {
		return err
	} else if shared {
		return foreign(name, there, errShared)
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

// removeDamaged deletes files of another size than their parts were stored with, before the parts
// are reopened: a crash in between leaves parts without files, which are found later; such a file
// would keep its part from being stored again. In a set that is also that of another owner it
// stays: an alarm asks for it to be moved away once its part is merged again.
func (t *term) removeDamaged(ctx context.Context, e *entry, damaged []fileVersion) error {
	if len(damaged) == 0 {
		return nil
	}
	t.log.Warn("files of unexpected size found",
		"sweep_id", e.design.id, "files", len(damaged), "first", damaged[0].name)
	shared, err := t.claim.IsShared(ctx, t.cfg.Store, e.design.set)
	if err != nil || shared {
		return err
	}
	return t.deleteAll(ctx, e.design.set, damaged)
}

// removeFiles deletes every file of the result set of a sweep; only the cluster's mark if it is
// also that of another owner. The mark goes last.
func (t *term) removeFiles(ctx context.Context, e *entry) error {
	set := e.design.set
	shared, err := t.claim.IsShared(ctx, t.cfg.Store, set)
	if err != nil {
		return err
	}
	if shared {
		t.log.Warn("files of a removed sweep kept: the result set is also that of another owner",
			"sweep_id", e.design.id, "result_set", set)
	}
	var files, marks []fileVersion
	err = t.cfg.Store.List(ctx, set+"/", func(name string, _ int64) error {
		mark := owner.IsMark(strings.TrimPrefix(name, set+"/"))
		if shared && (!mark || !t.claim.Owns(path.Base(name))) {
			return nil
		}
		f, there, err := t.statFile(ctx, name)
		switch {
		case there && mark:
			marks = append(marks, f)
		case there:
			files = append(files, f)
		}
		return err
	})
	if err != nil {
		return err
	}
	return t.deleteAll(ctx, set, append(files, marks...))
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
