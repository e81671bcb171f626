package coordinator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/owner"
	"github.com/phasegrid/phasegrid/coordinator/store"
)

// Coordinators of one cluster must share their stores: a leader reads what an earlier leader wrote.
// Two folders, or a volume that is not mounted, look like a store that has lost everything. So each
// store has an id, in an object of its own, and the ledger has the ids of the cluster's stores. A
// coordinator that finds another id does not lead.

const (
	// storeIDName is a hidden name that no glob matches and no result set can have.
	storeIDName  = ".phasegrid-store"
	maxStoreID   = 128
	storeTimeout = 10 * time.Second
	// checkStoresEvery is the period at which a candidate checks that the leader has the same
	// stores.
	checkStoresEvery = 5 * time.Second
)

// clusterStore is a store that must be the same for every leader.
type clusterStore struct {
	store store.Store
	what  string
	key   string
}

// clusterStores returns the stores that are checked. A coordinator with a ledger of its own needs
// the matching spool, but may write result sets anywhere: missing files are computed again on
// request.
func (c *Coordinator) clusterStores() []clusterStore {
	spool := clusterStore{c.cfg.Spool, "store of the spool", ledger.SpoolIDKey}
	if len(c.cfg.Etcd.Endpoints) == 0 {
		return []clusterStore{spool}
	}
	return []clusterStore{{c.cfg.Store, "store of result sets", ledger.ResultsIDKey}, spool}
}

// claimant is this coordinator as it claims the spool.
func (c *Coordinator) claimant() owner.Claimant {
	return owner.Claimant{
		Store: c.cfg.Spool, Address: c.cfg.Advertise, Adopt: c.cfg.AdoptStore, Cluster: c.cfg.Cluster,
		StoreID: clusterStore{c.cfg.Spool, "store of the spool", ledger.SpoolIDKey}.id,
	}
}

// adoptStores makes sure that the stores of a leader are the cluster's, and claims the spool for
// its term. If the cluster has no stores yet, or no sweep, these become its stores. A store that is
// older than the ledger keeps its id.
func (c *Coordinator) adoptStores(ctx context.Context, l *ledger.Leadership) (*owner.Claim, error) {
	states, err := ledger.LoadStores(ctx, l.Ledger)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for _, s := range c.clusterStores() {
		id, err := s.id(ctx)
		if err != nil {
			return nil, err
		}
		want := states[s.key]
		if want.ID != "" && id != want.ID {
			if used, err := ledger.HasSweeps(ctx, l.Ledger); err != nil {
				return nil, err
			} else if used {
				return nil, s.foreignError(id, want)
			}
		}
		ids[s.key] = id
	}
	// Before any store has an id, by which it would be taken for one of an earlier release.
	claim, err := c.claimant().Claim(ctx, l.Ledger, l.Epoch)
	if err != nil {
		return nil, err
	}
	if claim.Adopted != "" {
		c.log.Warn("store adopted; its spool is kept and can be deleted once that cluster is gone",
			"store", c.cfg.Spool, "from", claim.Adopted, "folder", "spool/"+claim.Adopted, "cluster", claim.Cluster)
	}
	var writes []ledger.Write
	for _, s := range c.clusterStores() {
		id := ids[s.key]
		if id == "" {
			if id, err = s.assignID(ctx); err != nil {
				return nil, err
			}
		}
		if id != states[s.key].ID {
			value := ledger.StoreState{ID: id, Location: fmt.Sprint(s.store)}.Encode()
			writes = append(writes, ledger.Write{Key: s.key, Value: value})
		}
	}
	if len(writes) == 0 {
		return claim, nil
	}
	if err := l.Ledger.Commit(ctx, writes); err != nil {
		return nil, fmt.Errorf("save ids of stores: %w", err)
	}
	return claim, nil
}

// checkStores compares the stores with those of the cluster before this coordinator leads, and
// reports whether they are the same as far as is known. Errors of the ledger are left to the
// campaign.
func (c *Coordinator) checkStores(ctx context.Context) (same bool, err error) {
	states, err := ledger.LoadStores(ctx, c.backend)
	if err != nil {
		return false, nil //nolint:nilerr // left to the campaign
	}
	same = true
	for _, s := range c.clusterStores() {
		want := states[s.key]
		if want.ID == "" {
			same = false
			continue
		}
		id, err := s.id(ctx)
		if err != nil {
			return false, err
		}
		if id == want.ID {
			continue
		}
		same = false
		if used, err := c.inUse(ctx); err == nil && used {
			return false, s.foreignError(id, want)
		}
	}
	if err := c.claimant().Check(ctx, c.backend); errors.Is(err, owner.ErrForeign) {
		return false, err
	}
	return same, nil // other errors are left to the claim
}

// checkSpool fails if the spool is not the one that the ledger names: a folder that is not mounted
// any more is not a spool that has lost its frames.
func checkSpool(ctx context.Context, l ledger.Reader, s store.Store) error {
	states, err := ledger.LoadStores(ctx, l)
	if err != nil {
		return err
	}
	cluster := clusterStore{s, "store of the spool", ledger.SpoolIDKey}
	id, err := cluster.id(ctx)
	if err != nil {
		return err
	}
	if want := states[cluster.key]; id != want.ID {
		return cluster.foreignError(id, want)
	}
	return nil
}

// inUse reports whether the cluster has a sweep or another leader; if not, its stores may be
// replaced.
func (c *Coordinator) inUse(ctx context.Context) (bool, error) {
	if used, err := ledger.HasSweeps(ctx, c.backend); err != nil || used {
		return used, err
	}
	if c.cfg.Embedded != "" { // no other process can use the ledger
		return false, nil
	}
	leader, err := c.backend.Leader(ctx)
	return leader != "" && leader != c.cfg.Advertise, err
}

// awaitForeignStore returns owner.ErrForeign once a store is found not to be the cluster's, and nil
// when ctx ends. Candidates that start together learn only later whose stores are the cluster's.
func (c *Coordinator) awaitForeignStore(ctx context.Context) error {
	if c.cfg.Ledger != nil {
		return nil // an open ledger is not shared
	}
	tick := time.NewTicker(checkStoresEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if _, err := c.checkStores(ctx); errors.Is(err, owner.ErrForeign) {
			return err
		}
	}
}

// id reads the id of a store; "" if it has none.
func (s clusterStore) id(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	o, err := s.store.Open(ctx, storeIDName)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read id of %s %v: %w", s.what, s.store, err)
	}
	defer o.Close()
	text, err := io.ReadAll(io.NewSectionReader(o, 0, min(o.Size(), maxStoreID)))
	if err != nil {
		return "", fmt.Errorf("read id of %s %v: %w", s.what, s.store, err)
	}
	id := strings.TrimSpace(string(text))
	if id == "" || strings.ContainsAny(id, " \n") {
		return "", fmt.Errorf(
			"read id of %s %v: object %s is empty or damaged; write the id into it, or delete it if no sweep exists",
			s.what, s.store, storeIDName,
		)
	}
	return id, nil
}

// assignID gives a store a random id and returns the id that it has then: another coordinator may
// have been first.
func (s clusterStore) assignID(ctx context.Context) (string, error) {
	writing, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	w, err := s.store.Create(writing, storeIDName)
	if err == nil {
		defer w.Discard()
		_, err = io.WriteString(w, rand.Text()+"\n")
	}
	if err == nil {
		err = w.Commit()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("assign id to %s %v: %w", s.what, s.store, err)
	}
	id, err := s.id(ctx)
	if err == nil && id == "" {
		err = fmt.Errorf("assign id to %s %v: object %s disappeared after it was written", s.what, s.store, storeIDName)
	}
	return id, err
}

// foreignError is the error for a store with another id than the cluster's.
func (s clusterStore) foreignError(id string, want ledger.StoreState) error {
	has := "has id " + id
	hint := ""
	if id == "" {
		has = "has no id"
		hint = fmt.Sprintf(
			", and check that it is mounted; if its contents are lost, write %s into object %s, "+
				"then remove the sweeps and submit them again",
			want.ID, storeIDName,
		)
	}
	return fmt.Errorf(
		"check %s %v: %w: it %s, the cluster's is %s with id %s; use the same --store and --spool everywhere%s",
		s.what, s.store, owner.ErrForeign, has, want.Location, want.ID, hint,
	)
}

// orphansAfter is after how many checks of its claim a term deletes orphans of the spool. If its
// ledger is a copy of one that another coordinator leads with, orphans are what that one committed
// since; it has objected by then.
const orphansAfter = 3

// guardClaim ends the term once another cluster has claimed the spool, or this ledger turns out to
// be a copy of one that another coordinator leads with.
func (t *term) guardClaim(ctx context.Context) error {
	tick := time.NewTicker(t.cfg.guardEvery)
	defer tick.Stop()
	failing := false
	for passed := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if ctx.Err() != nil { // both may be
			return nil
		}
		copied, err := t.claim.Check(ctx)
		switch {
		case errors.Is(err, owner.ErrForeign), errors.Is(err, ledger.ErrFenced):
			return err
		case err != nil:
			if !failing && ctx.Err() == nil {
				t.log.Warn("owner of the spool not checked", "error", err)
			}
			failing = true
			continue
		case copied != "":
			t.log.Error("a copy of this cluster's ledger was used; its coordinator was told to stop", "address", copied)
		}
		failing = false
		if passed++; passed == orphansAfter {
			t.queueFiles("", t.spool.RemoveOrphans)
		}
	}
}
