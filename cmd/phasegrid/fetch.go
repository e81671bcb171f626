package main

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

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/results"
)

type fetchOptions struct {
	remote
	Sweep          string
	Out            string
	Output         output
	stdout, stderr io.Writer
}

// fetchView is where a result set is now.
type fetchView struct {
	Folder string    `json:"folder" yaml:"folder"`
	Files  int       `json:"files" yaml:"files"`
	Sweep  sweepView `json:"sweep" yaml:"sweep"`
}

func (m Main) fetchCommand() *cobra.Command {
	o := fetchOptions{remote: remote{notes: m.Stderr}, stdout: m.Stdout, stderr: m.Stderr}
	cmd := &cobra.Command{
		Use:   "fetch SWEEP",
		Short: "Download a result set, verified",
		Long: `fetch downloads a sweep's result set into a folder below --out. Files that are there already with the right checksum
are kept, and what an interrupted fetch has of a file is gone on with; what it left of others is removed at the end. Of a
sweep that goes on it downloads the parts that are written.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Sweep = args[0]
			return runFetch(cmd.Context(), o)
		},
	}
	o.addFlags(cmd.Flags())
	o.Output.addFlag(cmd.Flags())
	cmd.Flags().StringVar(&o.Out, "out", "results", "`folder` for result sets")
	return cmd
}

func runFetch(ctx context.Context, o fetchOptions) error {
	return o.withSweep(ctx, o.Sweep, func(ctx context.Context, c *sweepClient, view sweepView) error {
		if !filepath.IsLocal(view.ResultSet) {
			return fmt.Errorf("the coordinator names the result set %q, which leads out of %s", view.ResultSet, o.Out)
		}
		files, err := c.files(ctx, view.ID)
		if err != nil {
			return err
		}
		folder := filepath.Join(o.Out, view.ResultSet)
		manifestLast(files) // so that a set with a manifest is complete
		for _, f := range files {
			if err := fetchFile(ctx, c, view.ID, folder, f); err != nil {
				return err
			}
			fmt.Fprintf(o.stderr, "%s  %s\n", f.Path, humanize.IBytes(uint64(f.Bytes)))
		}
		if err := removeUnfinished(folder); err != nil {
			return fmt.Errorf("remove what earlier fetches left in %s: %w", folder, err)
		}
		if p := view.Progress; p.PartsDone < p.Parts {
			fmt.Fprintf(
				o.stderr,
				"not all of the set: %d of %s written, and the sweep is %s\n",
				p.PartsDone,
				counted(p.Parts, "part"),
				view.Phase,
			)
		}
		return o.Output.print(
			o.stdout,
			fetchView{folder, len(files), view},
			func(w io.Writer) { fmt.Fprintln(w, folder) },
		)
	})
}

func manifestLast(files []fileView) {
	isManifest := func(f fileView) int {
		if f.Path == results.ManifestName {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(files, func(a, b fileView) int { return isManifest(a) - isManifest(b) })
}

// fetchFile downloads one file under a temporary name and gives it its own once its checksum is
// right. The temporary name is always the same, so that the next fetch finds what an interrupted
// one has.
func fetchFile(ctx context.Context, c *sweepClient, sweep, folder string, f fileView) error {
	if !filepath.IsLocal(filepath.FromSlash(f.Path)) {
		return fmt.Errorf("the coordinator names a file %q, which leads out of the result set", f.Path)
	}
	path := filepath.Join(folder, filepath.FromSlash(f.Path))
	if sum, err := fileSHA256(path); err == nil && sum == f.SHA256 {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read what was fetched before: %w", err)
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
		return fmt.Errorf("read what was fetched before: %w", err)
	}
	if have <= f.Bytes { // more than the file is of another file, which the checksum tells
		if err := c.fetch(ctx, sweep, f.Path, have, io.MultiWriter(temporary, sum)); err != nil {
			return err
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != f.SHA256 {
		return errors.Join(
			fmt.Errorf("fetch %s: sha256 is %s, the manifest says %s; fetch again", f.Path, got, f.SHA256),
			os.Remove(temporary.Name()),
		)
	}
	if err := errors.Join(temporary.Chmod(0o644), temporary.Sync()); err != nil {
		return fmt.Errorf("fetch %s: %w", f.Path, err)
	}
	return os.Rename(temporary.Name(), path) // still locked
}

// The name of a file while it is fetched.
const unfinishedPrefix, unfinishedSuffix = ".", ".fetching"

// errInUse is returned for an unfinished file that another fetch is at.
var errInUse = errors.New("another fetch is at this file: wait until it ends, or choose another --out")

// openUnfinished opens what there is of a file and locks it. The lock ends with the process,
// however it ends.
func openUnfinished(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		err = errInUse
	}
	if err == nil && !stillNamed(f) { // who had the lock has finished the file
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

// removeUnfinished removes what interrupted fetches left in a folder that is complete, unless one
// is at it right now.
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
