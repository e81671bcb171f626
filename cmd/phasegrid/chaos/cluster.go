package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
)

const (
	etcdCount        = 3
	coordinatorCount = 3
	nodeCount        = 4
	// faultLeaseTTL is the lease TTL under faults: short, so that suspensions past it are.
	faultLeaseTTL = 3 * time.Second
	leaderTTL     = ledger.DefaultSessionTTL
)

// cluster is a cluster of processes on this machine, with a network and a disk that can be
// disturbed.
type cluster struct {
	network      network
	disk         *disk
	etcds        []*process
	coordinators []*process
	nodes        []*process
	address      string // of the coordinators, by connections that are never disturbed
	leaseTTL     time.Duration
}

// startCluster starts all processes, with their state and logs below a folder.
func startCluster(folder string, leaseTTL time.Duration) (c *cluster, err error) {
	c = &cluster{leaseTTL: leaseTTL}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.disk, err = mountDisk(filepath.Join(folder, "store")); err != nil {
		return c, err
	}
	addresses, err := freeAddresses(2*etcdCount + coordinatorCount)
	if err != nil {
		return c, err
	}
	peers, members, listeners := addresses[:etcdCount], addresses[etcdCount:2*etcdCount], addresses[2*etcdCount:]
	if err := c.planEtcd(folder, peers, members); err != nil {
		return c, err
	}
	if err := c.planCoordinators(folder, members, listeners); err != nil {
		return c, err
	}
	if err := c.planNodes(folder, listeners); err != nil {
		return c, err
	}
	c.address = strings.Join(listeners, ",")
	for _, p := range c.processes() {
		if err := p.start(); err != nil {
			return c, err
		}
	}
	return c, nil
}

// planEtcd plans the members of etcd, which listen on addresses for each other and for clients, and
// reach each other by links.
func (c *cluster) planEtcd(folder string, peers, clients []string) error {
	var links, initial []string
	for i, peer := range peers {
		name := fmt.Sprintf("etcd-%d", i)
		address, err := c.network.link("etcd", name, peer)
		if err != nil {
			return err
		}
		links, initial = append(links, "http://"+address), append(initial, name+"=http://"+address)
	}
	for i := range peers {
		name := fmt.Sprintf("etcd-%d", i)
		c.etcds = append(
			c.etcds,
			newProcess(folder, name, "etcd", "--name", name, "--data-dir", filepath.Join(folder, name),
				"--listen-peer-urls", "http://"+peers[i], "--initial-advertise-peer-urls", links[i],
				"--listen-client-urls", "http://"+clients[i], "--advertise-client-urls", "http://"+clients[i],
				"--initial-cluster", strings.Join(initial, ","), "--log-level", "warn"),
		)
	}
	return nil
}

// planCoordinators plans the coordinators, which listen on addresses. Each reaches each member of
// etcd by a link of its own.
func (c *cluster) planCoordinators(folder string, members, listeners []string) error {
	for i, listener := range listeners {
		name := fmt.Sprintf("coordinator-%d", i)
		var etcd []string
		for k, member := range members {
			address, err := c.network.link(name, fmt.Sprintf("etcd-%d", k), member)
			if err != nil {
				return err
			}
			etcd = append(etcd, "http://"+address)
		}
		c.coordinators = append(
			c.coordinators,
			newProcess(folder, name, "coordinator", "--name", name, "--listen", listener,
				"--etcd", strings.Join(etcd, ","), "--store", "file://"+c.disk.folder, "--status-listen", "",
				"--lease-ttl", c.leaseTTL.String(), "--log-level", "debug", "--log-format", "json"),
		)
	}
	return nil
}

// planNodes plans the nodes. Each reaches each coordinator by a link of its own.
func (c *cluster) planNodes(folder string, coordinators []string) error {
	for i := range nodeCount {
		name := fmt.Sprintf("node-%d", i)
		var addresses []string
		for k, coordinator := range coordinators {
			address, err := c.network.link(name, fmt.Sprintf("coordinator-%d", k), coordinator)
			if err != nil {
				return err
			}
			addresses = append(addresses, address)
		}
		c.nodes = append(
			c.nodes,
			newProcess(folder, name, "node", "--name", name, "--slots", "1",
				"--coordinator", strings.Join(addresses, ","), "--grace", "0s", "--drain-timeout", "10s",
				"--log-level", "debug", "--log-format", "json"),
		)
	}
	return nil
}

// processes are all processes of the cluster, in the order in which they start.
func (c *cluster) processes() []*process {
	var all []*process
	all = append(all, c.etcds...)
	all = append(all, c.coordinators...)
	return append(all, c.nodes...)
}

// stop ends nodes and coordinators by SIGTERM, in this order, as an operator would.
func (c *cluster) stop(ctx context.Context) error {
	var errs []error
	for _, group := range [][]*process{c.nodes, c.coordinators} {
		for _, p := range group {
			errs = append(errs, p.terminate(ctx))
		}
	}
	return errors.Join(errs...)
}

// close kills what still runs and unmounts the store.
func (c *cluster) close() error {
	var errs []error
	for _, p := range c.processes() {
		errs = append(errs, p.kill())
	}
	c.network.close()
	if c.disk != nil {
		errs = append(errs, c.disk.close())
	}
	return errors.Join(errs...)
}

// Processes listen on ports below those that Linux assigns by itself to connections and to
// listeners without a port: a process must find its port free whenever it is started again.
const firstPort, endPort = 15_000, 32_000

// freeAddresses returns n loopback addresses on which no process listens.
func freeAddresses(n int) (addresses []string, err error) {
	for len(addresses) < n {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(endPort-firstPort))
		l, err := net.Listen("tcp", address)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // all are held until the last is found, so that they differ
		addresses = append(addresses, address)
	}
	return addresses, nil
}
