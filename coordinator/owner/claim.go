package owner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
)

// ErrForeign is the cause of an error about a store that is not the cluster's.
var ErrForeign = errors.New("store belongs to another cluster")

// Claimant is a coordinator that claims the spool of a store for its ledger.
type Claimant struct {
	Store   store.Store
	Address string // at which this coordinator serves
	// Adopt is the id of the cluster from which the store may be taken; "" is none.
	Adopt string
	// Cluster is the id of a ledger that has none yet; a random one by default.
	Cluster string
	// StoreID returns the id of the store; "" if it has none. An earlier release did not write the
	// log: there the ledger that has this id is the owner.
	StoreID func(ctx context.Context) (string, error)
}

// Claim is a claim that holds for one term of leadership.
type Claim struct {
	// Cluster is the id of the cluster.
	Cluster string
	// Adopted is the cluster from which the store was taken with this claim; "" is none.
	Adopted string

	former   []string // other ids of the cluster
	claimant Claimant
	ledger   ledger.Ledger
	epoch    uint64
	since    int // number of the entry with which the term began
	number   int // of the newest entry of this term
}

// standing is what a ledger is to a store.
type standing struct {
	cluster ledger.ClusterState
	last    int    // number of the last entry of the log
	adopted string // the cluster that is to be taken over
}

// Check returns an error with ErrForeign if the store belongs to another cluster than that of the
// ledger, and may not be adopted.
func (c Claimant) Check(ctx context.Context, r ledger.Reader) error {
	_, err := c.stand(ctx, r)
	return err
}

// stand compares the newest entry of the log with the ledger.
func (c Claimant) stand(ctx context.Context, r ledger.Reader) (standing, error) {
	for {
		// The log first: the ledger has a nonce before the log has its entry.
		newest, last, err := newestEntry(ctx, c.Store)
		if err != nil {
			return standing{}, err
		}
		s := standing{last: last}
		if s.cluster, err = ledger.LoadCluster(ctx, r); err != nil {
			return standing{}, err
		}
		switch {
		case newest == nil:
			s.adopted, err = c.standWithoutLog(ctx, r, s.cluster)
		case s.cluster.Wrote(newest.Nonce):
		case newest.Cluster == c.Adopt:
			s.adopted = newest.Cluster
		default:
			err = c.foreignError(*newest, s.cluster)
		}
		if !errors.Is(err, ErrForeign) {
			return s, err
		}
		// A leader may have claimed the store since the log was read.
		later, failed := listLog(ctx, c.Store, last)
		if failed != nil {
			return standing{}, failed
		}
		if len(later) == 0 {
			return standing{}, err
		}
	}
}

// standWithoutLog decides on a store without a log that can be read, and returns the cluster that
// is to be taken over.
func (c Claimant) standWithoutLog(
	ctx context.Context, r ledger.Reader, own ledger.ClusterState,
) (adopted string, err error) {
	id, err := c.StoreID(ctx)
	if err != nil || id == "" {
		return "", err
	}
	stores, err := ledger.LoadStores(ctx, r)
	switch {
	case err != nil:
		return "", err
	case stores[ledger.SpoolIDKey].ID == id:
		return "", nil
	case id == c.Adopt:
		return id, nil
	}
	return "", c.foreignError(entry{Cluster: id}, own)
}

// foreignError is the error for a store whose newest entry the ledger does not know.
func (c Claimant) foreignError(e entry, own ledger.ClusterState) error {
	owner := fmt.Sprintf("it belongs to cluster %s", e.Cluster)
	if e.Address != "" {
		owner += fmt.Sprintf(", led from %s since %s", e.Address, e.Time.UTC().Format(time.RFC3339))
	}
	if e.Cluster == own.ID {
		owner += ", of which this ledger is an older copy: it was restored, or is used twice"
	}
	return fmt.Errorf(
		"check owner of store %v: %w: %s; choose another --store or --spool, or, if that coordinator will not "+
			"run again, start once with --adopt-store=%s", c.Store, ErrForeign, owner, e.Cluster,
	)
}

// Claim makes the ledger the owner of the store for a term of leadership. It returns an error with
// ErrForeign for a store of another cluster that may not be adopted.
func (c Claimant) Claim(ctx context.Context, l ledger.Ledger, epoch uint64) (*Claim, error) {
	for {
		s, err := c.stand(ctx, l)
		if err != nil {
			return nil, err
		}
		cluster := s.cluster
		switch {
		case s.adopted != "":
			cluster = cluster.Succeed(s.adopted, rand.Text())
		case cluster.ID == "" && c.Cluster != "":
			cluster.ID = c.Cluster
		case cluster.ID == "":
			cluster.ID = rand.Text()
		}
		claim := &Claim{
			Cluster: cluster.ID, Adopted: s.adopted, former: cluster.Former,
			claimant: c, ledger: l, epoch: epoch, since: s.last + 1,
		}
		err = claim.append(ctx, cluster, claim.since, s.adopted)
		if errors.Is(err, fs.ErrExist) {
			continue // another one was first
		}
		if err != nil {
			return nil, fmt.Errorf("claim store %v: %w", c.Store, err)
		}
		_ = trimLog(ctx, c.Store, claim.since-keptEntries) // the next term deletes what is left
		return claim, nil
	}
}

// append writes an entry of this term to the log, after its nonce to the ledger.
func (c *Claim) append(ctx context.Context, cluster ledger.ClusterState, number int, adopted string) error {
	nonce := rand.Text()
	write := ledger.Write{Key: ledger.ClusterKey, Value: cluster.WithNonce(nonce).Encode()}
	if err := c.ledger.Commit(ctx, []ledger.Write{write}); err != nil {
		return fmt.Errorf("save identity of the cluster: %w", err)
	}
	err := appendEntry(ctx, c.claimant.Store, entry{
		Cluster: c.Cluster, Nonce: nonce, Since: c.since, Adopted: adopted, Epoch: c.epoch,
		Address: c.claimant.Address, Time: time.Now().UTC().Truncate(time.Second), number: number,
	})
	if err == nil {
		c.number = number
	}
	return err
}

// Check looks for claims of other ledgers since this one. One that adopted the store, or whose term
// began earlier, as of a ledger of which this one is a copy, ends this term: the error has
// ErrForeign. To any other, a copy of this ledger, it objects with an entry that ends the term of
// that copy, and returns its address.
func (c *Claim) Check(ctx context.Context) (objected string, err error) {
	numbers, err := listLog(ctx, c.claimant.Store, c.number)
	if err != nil || len(numbers) == 0 {
		return "", err
	}
	cluster, err := ledger.LoadCluster(ctx, c.ledger)
	if err != nil {
		return "", err
	}
	var later *entry
	for _, n := range numbers {
		e, err := readEntry(ctx, c.claimant.Store, n)
		switch {
		case err != nil:
			return "", err
		case e == nil || cluster.Wrote(e.Nonce): // damaged, or a later leader of this ledger
		case e.Adopted != "", e.Since <= c.since:
			return "", c.claimant.foreignError(*e, cluster)
		default:
			later = e
		}
	}
	if later == nil {
		return "", nil
	}
	if err := c.append(ctx, cluster, numbers[len(numbers)-1]+1, ""); err != nil {
		return "", fmt.Errorf("object to the claim of %s: %w", later.Address, err)
	}
	return later.Address, nil
}
