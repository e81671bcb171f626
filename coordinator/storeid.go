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

// errForeignStore is the cause of an error about a store that is not the cluster's.
var errForeignStore = errors.New("store belongs to another cluster")

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

// adoptStores makes sure that the stores of a leader are the cluster's. If the cluster has no
// stores yet, or no sweep, these become its stores. A store that is older than the ledger keeps its
// id.
func (c *Coordinator) adoptStores(ctx context.Context, l ledger.Ledger) error {
	states, err := ledger.LoadStores(ctx, l)
	if err != nil {
		return err
	}
	var writes []ledger.Write
	for _, s := range c.clusterStores() {
		id, err := s.id(ctx)
		if err != nil {
			return err
		}
		want := states[s.key]
		if id != "" && id == want.ID {
			continue
		}
		if want.ID != "" {
			if used, err := ledger.HasSweeps(ctx, l); err != nil {
				return err
			} else if used {
				return s.foreignError(id, want)
			}
		}
		if id == "" {
			if id, err = s.assignID(ctx); err != nil {
				return err
			}
		}
		writes = append(
			writes,
			ledger.Write{Key: s.key, Value: ledger.StoreState{ID: id, Location: fmt.Sprint(s.store)}.Encode()},
		)
	}
	if len(writes) == 0 {
		return nil
	}
	if err := l.Commit(ctx, writes); err != nil {
		return fmt.Errorf("save ids of stores: %w", err)
	}
	return nil
}

// checkStores compares the stores with those of the cluster before this coordinator leads, and
// reports whether they are the same as far as is known. Errors of the ledger are left to the
// campaign.
func (c *Coordinator) checkStores(ctx context.Context) (same bool, err error) {
	if c.cfg.Ledger != nil {
		return false, nil // an open ledger is not shared
	}
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
	return same, nil
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

// awaitForeignStore returns errForeignStore once a store turns out not to be the cluster's, and nil
// when ctx ends. Candidates that start together learn only later whose stores are the cluster's.
func (c *Coordinator) awaitForeignStore(ctx context.Context) error {
	tick := time.NewTicker(checkStoresEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if _, err := c.checkStores(ctx); errors.Is(err, errForeignStore) {
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
		s.what, s.store, errForeignStore, has, want.Location, want.ID, hint,
	)
}
