package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/phasegrid/phasegrid/results"
)

// Download downloads the result set of a sweep into a folder below dir and returns that folder and
// the number of files. It calls fetched after each file. Files that exist with the right checksum
// are kept, and an interrupted download is resumed. Of a sweep that is not done, the set consists
// of the parts that are written.
func (c *Client) Download(
	ctx context.Context,
	s Sweep,
	dir string,
	fetched func(File),
) (folder string, files int, err error) {
	if folder, err = setFolder(dir, s); err != nil {
		return "", 0, err
	}
	all, err := c.files(ctx, s.ID)
	if err != nil {
		return "", 0, err
	}
	manifestLast(all) // so that a set with a manifest is complete
	for _, f := range all {
		if err := c.download(ctx, s.ID, folder, f); err != nil {
			return "", 0, err
		}
		fetched(f)
	}
	if err := removeUnfinished(folder); err != nil {
		return "", 0, fmt.Errorf("remove unfinished files of earlier downloads from %s: %w", folder, err)
	}
	return folder, len(all), nil
}

// setFolder is the folder of a sweep's result set below dir.
func setFolder(dir string, s Sweep) (string, error) {
	if !filepath.IsLocal(s.ResultSet) {
		return "", fmt.Errorf("fetch %s: the coordinator sent the result set name %q, which leads outside %s",
			ShortID(s.ID), s.ResultSet, dir)
	}
	return filepath.Join(dir, s.ResultSet), nil
}

func manifestLast(files []File) {
	isManifest := func(f File) int {
		if f.Path == results.ManifestName {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(files, func(a, b File) int { return isManifest(a) - isManifest(b) })
}

// download downloads one file under a temporary name, and renames it once its checksum is right.
// The temporary name is always the same, so that the next download finds and resumes it.
func (c *Client) download(ctx context.Context, id, folder string, f File) error {
	if !filepath.IsLocal(filepath.FromSlash(f.Path)) {
		return fmt.Errorf("fetch %s: the coordinator sent the file name %q, which leads outside the result set",
			ShortID(id), f.Path)
	}
	path := filepath.Join(folder, filepath.FromSlash(f.Path))
	if sum, err := fileSHA256(path); err == nil && sum == f.sha256 {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the file of an earlier download: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("fetch %s: %w", f.Path, err)
	}
	temporary, err := openUnfinished(
		filepath.Join(filepath.Dir(path), unfinishedPrefix+filepath.Base(path)+unfinishedSuffix),
	)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", f.Path, err)
	}
	defer temporary.Close()
	sum := sha256.New()
	have, err := io.Copy(sum, temporary)
	if err != nil {
		return fmt.Errorf("read the file of an earlier download: %w", err)
	}
	if have <= f.Bytes { // a longer one is of another file, and fails the checksum
		if err := c.fetch(ctx, id, f.Path, have, io.MultiWriter(temporary, sum)); err != nil {
			return err
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != f.sha256 {
		return errors.Join(
			fmt.Errorf("fetch %s: got SHA-256 %s, the manifest has %s; fetch again", f.Path, got, f.sha256),
			os.Remove(temporary.Name()),
		)
	}
	if err := errors.Join(temporary.Chmod(0o644), temporary.Sync()); err != nil {
		return fmt.Errorf("fetch %s: %w", f.Path, err)
	}
	return os.Rename(temporary.Name(), path) // still locked
}

// The name of a file while it is downloaded.
const unfinishedPrefix, unfinishedSuffix = ".", ".fetching"

// errInUse is returned for an unfinished file that another download writes.
var errInUse = errors.New("another fetch is downloading this file; wait until it ends, or choose another --out")

// openUnfinished opens an unfinished file, which may not exist, and locks it. The lock ends with
// the process, however that ends.
func openUnfinished(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		err = errInUse
	}
	if err == nil && !stillNamed(f) { // the holder of the lock has finished and renamed the file
		err = errInUse
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func stillNamed(f *os.File) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(f.Name())
	return err == nil && os.SameFile(opened, named)
}

// removeUnfinished removes the unfinished files of interrupted downloads from a folder that is
// complete, except those that are being downloaded.
func removeUnfinished(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !strings.HasPrefix(entry.Name(), unfinishedPrefix) ||
			!strings.HasSuffix(entry.Name(), unfinishedSuffix) {
			return err
		}
		f, err := openUnfinished(path)
		if errors.Is(err, errInUse) {
			return nil
		}
		if err != nil {
			return err
		}
		defer f.Close()
		return os.Remove(path)
	})
}

func fileSHA256(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
