package coordinator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"google.golang.org/grpc"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
)

const (
	fetchChunk    = 1 << 20
	maxSmallFiles = 64 << 20
	maxMissing    = 20 // files that one error names
)

// Files lists the current files of a result set: all files of its stored parts, and the small files
// that exist.
func (s *sweepsServer) Files(ctx context.Context, r *pb.FilesRequest) (*pb.FilesResponse, error) {
	t, e, err := resolve(ctx, s.leader, r.GetSweep())
	if err != nil {
		return nil, err
	}
	if p, err := t.progress(ctx, e); err != nil {
		return nil, err
	} else if p.Removing {
		return nil, fmt.Errorf("list files of sweep %s: %w", e.design.set, errRemoving)
	}
	expected := t.storedFiles(e)
	found := map[string]bool{}
	response := &pb.FilesResponse{}
	err = t.cfg.Store.List(ctx, e.design.set+"/", func(name string, size int64) error {
		relative, err := filepath.Rel(e.design.set, name)
		if err != nil {
			return err
		}
		f, ok := expected[relative]
		if ok && f.Bytes != size {
			return nil
		}
		if !ok {
			// A part belongs to the set once its key is written.
			if size > maxSmallFiles || !isSmall(relative) {
				return nil
			}
			if f, err = hashObject(ctx, t.cfg.Store, name); errors.Is(err, fs.ErrNotExist) {
				return nil
			} else if err != nil {
				return err
			}
		}
		found[relative] = true
		response.Files = append(
			response.Files,
			&pb.File{Path: relative, Bytes: f.Bytes, Rows: f.Rows, Sha256: fmt.Sprintf("%x", f.SHA256)},
		)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := t.checkComplete(ctx, e, expected, found); err != nil {
		return nil, err
	}
	return response, nil
}

// storedFiles returns the files of a sweep's stored parts by path.
func (t *term) storedFiles(e *entry) map[string]ledger.PartFile {
	files := map[string]ledger.PartFile{}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, p := range e.parts {
		for _, f := range p.Files {
			files[f.Path] = f
		}
	}
	return files
}

// checkComplete returns an error that names the files that the ledger has and the store lacks. Each
// is looked up again with the current ledger, since a listing may be older than a part.
func (t *term) checkComplete(
	ctx context.Context,
	e *entry,
	expected map[string]ledger.PartFile,
	found map[string]bool,
) error {
	p, err := t.progress(ctx, e)
	if err != nil {
		return err
	}
	unseen := map[string]int64{}
	t.mu.RLock()
	for _, r := range e.parts {
		// The files of a part without quarantined shards are replaced while these are computed.
		if len(r.Missing) > 0 && !p.Phase.Ended() {
			continue
		}
		for _, f := range r.Files {
			if expected[f.Path] == f && !found[f.Path] {
				unseen[f.Path] = f.Bytes
			}
		}
	}
	t.mu.RUnlock()
	if p.Phase == board.Done && !found[results.ManifestName] {
		unseen[results.ManifestName] = -1
	}
	var missing []string
	if p.Phase == board.Done && p.PartsDone < p.Parts { // a leader died while it reopened them
		missing = append(missing, fmt.Sprintf("%d of its %d parts", p.Parts-p.PartsDone, p.Parts))
	}
	for name, size := range unseen {
		f, there, err := t.statFile(ctx, path.Join(e.design.set, name))
		if err != nil {
			return fmt.Errorf("check %s of sweep %s: %w", name, e.design.set, err)
		}
		if !there || size >= 0 && f.size != size {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	text := strings.Join(missing[:min(len(missing), maxMissing)], ", ")
	if more := len(missing) - maxMissing; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	when := ""
	if !p.Phase.Ended() {
		when = " once it has ended"
	}
	return fmt.Errorf(
		"list files of sweep %s: %w: missing or damaged: %s; submit the sweep again%s to compute them",
		e.design.set, errIncomplete, text, when,
	)
}

// isPart reports whether a path within a result set is that of a file of a part.
func isPart(name string) bool {
	var part int64
	if _, err := fmt.Sscanf(path.Base(name), "part-%d.parquet", &part); err != nil {
		return false
	}
	return slices.ContainsFunc(results.Tables(), func(t results.Table) bool {
		return name == results.PartName(t, part)
	})
}

// isSmall reports whether a path within a result set is that of the manifest or of a file that
// exists from the start.
func isSmall(name string) bool {
	return name == results.ManifestName || name == results.SweepName || name == results.ViewsName ||
		slices.ContainsFunc(results.Tables(), func(t results.Table) bool { return name == results.EmptyName(t) })
}

// Fetch sends a file of a result set. Other paths are rejected before the store is asked, whose
// errors contain its own paths.
func (s *sweepsServer) Fetch(r *pb.FetchRequest, stream grpc.ServerStreamingServer[pb.FetchResponse]) error {
	ctx := stream.Context()
	t, e, err := resolve(ctx, s.leader, r.GetSweep())
	if err != nil {
		return err
	}
	if err := checkText("path", r.GetPath(), maxFilename); err != nil {
		return err
	}
	if !isPart(r.GetPath()) && !isSmall(r.GetPath()) {
		return badField("path", "got %q, want a path that Files returned", r.GetPath())
	}
	o, err := t.cfg.Store.Open(ctx, path.Join(e.design.set, r.GetPath()))
	if errors.Is(err, fs.ErrNotExist) {
		return badField("path", "no file %q in the result set; use a path that Files returned", r.GetPath())
	}
	if err != nil {
		return err
	}
	defer o.Close()
	if r.GetOffset() < 0 || r.GetOffset() > o.Size() {
		return badField("offset", "got %d, want 0..%d", r.GetOffset(), o.Size())
	}
	data := io.NewSectionReader(o, r.GetOffset(), o.Size()-r.GetOffset())
	for {
		chunk := make([]byte, fetchChunk)
		n, err := io.ReadFull(data, chunk)
		if n > 0 {
			if err := stream.Send(&pb.FetchResponse{Data: chunk[:n]}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
