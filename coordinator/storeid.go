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

// Coordinators of one cluster must share their stores: a leader reads what the one before wrote.
// Two folders, or a volume that is not mounted, look like a store that has lost everything. So each
// store has an id, in an object of its own, and the ledger names the ids of the cluster's; who
// finds other ones does not lead.

const (
	// storeIDName is hidden from people and globs, and no result set can have it.
	storeIDName  = ".phasegrid-store"
	maxStoreID   = 128
	storeTimeout = 10 * time.Second
	// checkStoresEvery is how soon a candidate finds out that who leads has another store.
	checkStoresEvery = 5 * time.Second
)

// errForeignStore is the cause where a store is not the cluster's.
var errForeignStore = errors.New("a store is not the cluster's")

// clusterStore is a store that has to be the same for every leader.
type clusterStore struct {
	store store.Store
	what  string
	key   string
}

// clusterStores are the stores that are checked. A coordinator that is alone needs the spool of its
// state, but may write its result sets anywhere: those that are missing are computed again when
// people ask.
func (c *Coordinator) clusterStores() []clusterStore {
	spool := clusterStore{c.cfg.Spool, "the spool's store", ledger.SpoolIDKey}
	if len(c.cfg.Etcd.Endpoints) == 0 {
		return []clusterStore{spool}
	}
	return []clusterStore{{c.cfg.Store, "the result sets' store", ledger.ResultsIDKey}, spool}
}

// adoptStores makes sure, for a leader, that its stores are the cluster's. Where the cluster has
// none yet, or no sweep that could be in them, they become so; a store may be older than its etcd,
// and keeps its id.
func (c *Coordinator) adoptStores(ctx context.Context, l ledger.Ledger) error {
	records, err := ledger.LoadStores(ctx, l)
	if err != nil {
		return err
	}
	var writes []ledger.Write
	for _, s := range c.clusterStores() {
		id, err := s.id(ctx)
		if err != nil {
			return err
		}
		want := records[s.key]
		if id != "" && id == want.ID {
			continue
		}
		if want.ID != "" {
			if swept, err := ledger.HasSweeps(ctx, l); err != nil {
				return err
			} else if swept {
				return s.foreignError(id, want)
			}
		}
		if id == "" {
			if id, err = s.assignID(ctx); err != nil {
				return err
			}
		}
		writes = append(writes, ledger.Write{Key: s.key, Value: ledger.StoreState{ID: id, Location: fmt.Sprint(s.store)}.Encode()})
	}
	if len(writes) == 0 {
		return nil
	}
	if err := l.Commit(ctx, writes); err != nil {
		return fmt.Errorf("note the stores' ids: %w", err)
	}
	return nil
}

// checkStores compares the stores with those of the cluster before this coordinator leads. It tells
// whether they are the same, as far as that can be known yet; that etcd is away, or full, is for
// the campaign to say.
func (c *Coordinator) checkStores(ctx context.Context) (same bool, err error) {
	if c.cfg.Ledger != nil {
		return false, nil // memory is for one process
	}
	records, err := ledger.LoadStores(ctx, c.backend)
	if err != nil {
		return false, nil //nolint:nilerr // see above
	}
	same = true
	for _, s := range c.clusterStores() {
		want := records[s.key]
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

// inUse tells whether the cluster has a sweep, or another leader: if not, it may begin anew with
// other stores.
func (c *Coordinator) inUse(ctx context.Context) (bool, error) {
	if swept, err := ledger.HasSweeps(ctx, c.backend); err != nil || swept {
		return swept, err
	}
	if c.cfg.Embedded != "" { // nobody else can be there
		return false, nil
	}
	leader, err := c.backend.Leader(ctx)
	return leader != "" && leader != c.cfg.Advertise, err
}

// awaitForeignStore returns errForeignStore once a store turns out not to be the cluster's, and nil
// when ctx ends: candidates that start at the same time see only later whose store it is.
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

// id reads a store's id; "" if it has none.
func (s clusterStore) id(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	o, err := s.store.Open(ctx, storeIDName)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the id of %s %v: %w", s.what, s.store, err)
	}
	defer o.Close()
	text, err := io.ReadAll(io.NewSectionReader(o, 0, min(o.Size(), maxStoreID)))
	if err != nil {
		return "", fmt.Errorf("read the id of %s %v: %w", s.what, s.store, err)
	}
	id := strings.TrimSpace(string(text))
	if id == "" || strings.ContainsAny(id, " \n") {
		return "", fmt.Errorf(
			"%s %v: its object %s is empty or damaged: write the cluster's id into it, or delete it if the cluster has no sweeps",
			s.what,
			s.store,
			storeIDName,
		)
	}
	return id, nil
}

// giveID gives a store that has no id a random one, and returns what it has then: another
// coordinator may have been faster.
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
		return "", fmt.Errorf("give %s %v an id: %w", s.what, s.store, err)
	}
	id, err := s.id(ctx)
	if err == nil && id == "" {
		err = fmt.Errorf("%s %v: %s is gone as soon as it is written", s.what, s.store, storeIDName)
	}
	return id, err
}

// foreign is the error where a store has another id than the cluster's.
func (s clusterStore) foreignError(id string, want ledger.StoreState) error {
	has := "has the id " + id
	mend := ""
	if id == "" {
		has = "has no id"
		mend = fmt.Sprintf(
			", and see that it is mounted; if its contents are lost for good, write %s into its object %s, and remove its sweeps",
			want.ID,
			storeIDName,
		)
	}
	return fmt.Errorf(
		"%w: %s %v %s, the cluster's is %s with the id %s: give every coordinator the same --store and --spool%s",
		errForeignStore,
		s.what,
		s.store,
		has,
		want.Location,
		want.ID,
		mend,
	)
}
