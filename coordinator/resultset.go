package coordinator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/coordinator/board"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/views"
	"github.com/phasegrid/phasegrid/sweep"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// openSet writes the files that a result set has from the start: the mark of the cluster, the sweep
// file with its figures, the views, and a file without rows for each table. It returns the manifest
// entries of the latter.
func (t *term) openSet(ctx context.Context, d *design, figures []figure.Figure) ([]results.ManifestFile, error) {
	statements, err := views.SQL(d.schema, "")
	if err != nil {
		return nil, err
	}
	if err := t.claim.MarkSet(ctx, t.cfg.Store, d.set); err != nil {
		return nil, err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{
		{results.SweepName, sweep.File(d.name, d.canonical, figures)},
		{results.ViewsName, []byte(statements)},
	} {
		if err := t.writeFile(ctx, d.set, f.name, f.data); err != nil {
			return nil, fmt.Errorf("write %s of result set: %w", f.name, err)
		}
	}
	var files []results.ManifestFile
	for _, table := range d.schema.Tables() {
		var b bytes.Buffer
		file, err := d.schema.WriteEmpty(table, &b)
		if err != nil {
			return nil, err
		}
		name := results.EmptyName(table)
		if err := t.writeFile(ctx, d.set, name, b.Bytes()); err != nil {
			return nil, fmt.Errorf("create result set: %w", err)
		}
		files = append(files, file.Entry(name))
	}
	return files, nil
}

// redraw gives a sweep the figures of its latest submission, which may be those of a file that was
// edited since. They are part of the sweep file in the result set, and of nothing else.
func (t *term) redraw(ctx context.Context, e *entry, figures []figure.Figure) error {
	if len(figures) == 0 {
		return nil
	}
	t.mu.RLock()
	same := slices.Equal(e.figures, figures)
	t.mu.RUnlock()
	if !same {
		write := ledger.Write{Key: ledger.FiguresKey(e.design.id), Value: figure.Encode(figures)}
		if err := t.commit(ctx, []ledger.Write{write}); err != nil {
			return fmt.Errorf("store figures of sweep %s: %w", e.design.set, err)
		}
		t.mu.Lock()
		e.figures = figures
		t.mu.Unlock()
	}
	// Also if they are the same: an earlier submission may have ended before this.
	file := sweep.File(e.design.name, e.design.canonical, figures)
	if err := t.writeFile(ctx, e.design.set, results.SweepName, file); err != nil {
		return fmt.Errorf("write %s of result set: %w", results.SweepName, err)
	}
	return nil
}

// writeManifest completes a result set with its manifest.
func (t *term) writeManifest(ctx context.Context, id string) error {
	e := t.lookup(id)
	if e == nil {
		return nil
	}
	if ok, err := t.checkActive(ctx, id, nil, board.ManifestCancelled{Sweep: id}); !ok {
		return err
	}
	t.mu.RLock()
	figures := e.figures
	t.mu.RUnlock()
	files, err := t.openSet(ctx, e.design, figures)
	if err != nil {
		return err
	}
	missing, err := t.findMissing(ctx, e)
	if err == nil {
		err = t.removeDamaged(ctx, e, missing.damaged)
	}
	if err != nil {
		return fmt.Errorf("check result set %s: %w", e.design.set, err)
	}
	if len(missing.parts) > 0 {
		t.log.Warn("incomplete result set found; its parts are computed again",
			"sweep_id", id, "parts", len(missing.parts))
		t.post(board.PartsLost{Sweep: id, Parts: missing.parts})
		return nil
	}
	p, err := ask(ctx, t, func() board.Progress {
		p, _ := t.board.Progress(id)
		return p
	})
	if err != nil {
		return err
	}
	data, err := t.manifest(e, p, files).Encode()
	if err != nil {
		return err
	}
	t.failpoint("before-manifest")
	if err := t.writeFile(ctx, e.design.set, results.ManifestName, data); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	t.failpoint("after-manifest")
	_, err = t.checkActive(ctx, id, board.ManifestStored{Sweep: id}, board.ManifestCancelled{Sweep: id})
	return err
}

// repairSmallFiles writes those files of a finished set again that are damaged, except the
// manifest, of which it returns whether it is. Sets of other owners or solvers are left as they
// are.
func (t *term) repairSmallFiles(ctx context.Context, e *entry, p board.Progress) (manifest bool, err error) {
	shared, err := t.claim.IsShared(ctx, t.cfg.Store, e.design.set)
	if err != nil || shared || e.design.solver != t.cfg.Solver || e.design.planVersion != sweep.PlanVersion {
		return false, err
	}
	t.mu.RLock()
	figures := e.figures
	t.mu.RUnlock()
	files, err := t.openSet(ctx, e.design, figures)
	if err != nil {
		return false, err
	}
	want, err := t.manifest(e, p, files).Encode()
	if err != nil {
		return false, err
	}
	there, err := t.cfg.Store.Open(ctx, path.Join(e.design.set, results.ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer there.Close()
	found, err := readSmall(there)
	return !says(results.ManifestName, found, want), err
}

// manifest is the manifest of a sweep.
func (t *term) manifest(e *entry, p board.Progress, files []results.ManifestFile) results.Manifest {
	sum := sha256.Sum256(e.design.canonical)
	m := results.Manifest{
		Sweep: e.design.id, Name: e.design.name, SpecSHA256: hex.EncodeToString(sum[:]),
		Solver: e.design.solver, PlanVersion: e.design.planVersion,
		ArithmeticClass: p.Class, GitRevision: t.cfg.GitRevision, Indices: e.design.spec.Size(), Files: files,
		PointsByStatus: byStatus(p.Counts),
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for i := range e.design.plan.Parts() {
		state := e.parts[int(i)]
		first, end := e.design.partIndices(i)
		m.Parts = append(m.Parts, results.Part{
			IndexRange: results.IndexRange{First: first, End: end}, Points: state.Rows.Rows(),
		})
		for _, s := range state.Missing {
			first, end := e.design.plan.Shard(int64(s))
			m.Missing = append(m.Missing, results.IndexRange{First: first, End: end})
		}
		for _, f := range state.Files {
			m.Files = append(m.Files, results.ManifestFile{
				Path: f.Path, Bytes: f.Bytes, Rows: f.Rows, SHA256: hex.EncodeToString(f.SHA256[:]),
			})
		}
	}
	return m
}

// missingFiles are the files that a finished result set lacks.
type missingFiles struct {
	parts    map[int]board.Counts // with missing or damaged files, and their rows
	damaged  []fileVersion        // files of those parts with another size
	manifest bool
}

// findMissing finds what a finished result set lacks. A listing covers a thousand files at a time;
// only files that it does not show as expected are opened, which takes a request each in object
// storage.
func (t *term) findMissing(ctx context.Context, e *entry) (missingFiles, error) {
	type look struct {
		file  fileVersion
		there bool
	}
	expected := t.storedFiles(e)
	looks := map[string]look{}
	err := t.cfg.Store.List(ctx, e.design.set+"/", func(full string, size int64) error {
		name := strings.TrimPrefix(full, e.design.set+"/")
		if f, ok := expected[name]; ok && f.Bytes == size {
			looks[name] = look{fileVersion{name: full, size: size}, true}
		}
		return nil
	})
	if err != nil {
		return missingFiles{}, err
	}
	for name := range expected {
		if _, listed := looks[name]; listed {
			continue
		}
		f, there, err := t.statFile(ctx, path.Join(e.design.set, name))
		if err != nil {
			return missingFiles{}, err
		}
		looks[name] = look{f, there}
	}
	_, manifest, err := t.statFile(ctx, path.Join(e.design.set, results.ManifestName))
	if err != nil {
		return missingFiles{}, err
	}
	// Compare with the parts as they are stored now: a file that a merge published meanwhile is not
	// a damaged one of the part as it was.
	return ask(ctx, t, func() missingFiles {
		missing := missingFiles{parts: map[int]board.Counts{}, manifest: !manifest}
		t.mu.RLock()
		defer t.mu.RUnlock()
		for i, r := range e.parts {
			if !t.board.Stored(e.design.id, i) {
				continue
			}
			for _, f := range r.Files {
				seen, looked := looks[f.Path]
				if !looked || seen.there && seen.file.size == f.Bytes {
					continue
				}
				missing.parts[i] = r.Rows
				if seen.there {
					missing.damaged = append(missing.damaged, seen.file)
				}
			}
		}
		return missing
	})
}
