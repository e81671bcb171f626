package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"
)

const (
	chaosEtcds        = 3
	chaosCoordinators = 3
	chaosNodes        = 4
	// chaosLeaseTTL is short, so that a node that sleeps past it does not sleep long.
	chaosLeaseTTL = 3 * time.Second
	// leaderTTL is after how long etcd gives up a leader that is silent.
	leaderTTL = 5 * time.Second
)

// chaosCluster is a cluster of real processes on one machine, with a network that can be cut and a
// disk that can be full.
type chaosCluster struct {
	network      *chaosNetwork
	disk         *chaosDisk
	etcds        []*chaosProcess
	coordinators []*chaosProcess
	nodes        []*chaosProcess
	address      string // of the coordinators, by links that are never cut
	leaseTTL     time.Duration
}

// startChaosCluster starts all processes below a folder; leaseTTL is the nodes'.
func startChaosCluster(folder string, leaseTTL time.Duration) (c *chaosCluster, err error) {
	c = &chaosCluster{network: newChaosNetwork(), leaseTTL: leaseTTL}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.disk, err = mountChaosDisk(filepath.Join(folder, "store")); err != nil {
		return c, err
	}
	members, err := c.planEtcd(folder)
	if err != nil {
		return c, err
	}
	listeners, err := c.planCoordinators(folder, members)
	if err != nil {
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

// planEtcd returns the members' client addresses. Members reach each other by links.
func (c *chaosCluster) planEtcd(folder string) (clients []string, err error) {
	addresses, err := freeAddresses(2 * chaosEtcds)
	if err != nil {
		return nil, err
	}
	peers, clients := addresses[:chaosEtcds], addresses[chaosEtcds:]
	var links, initial []string
	for i, peer := range peers {
		name := fmt.Sprintf("etcd-%d", i)
		address, err := c.network.link("etcd", name, peer)
		if err != nil {
			return nil, err
		}
		links, initial = append(links, "http://"+address), append(initial, name+"=http://"+address)
	}
	for i := range peers {
		name := fmt.Sprintf("etcd-%d", i)
		c.etcds = append(
			c.etcds,
			newChaosProcess(folder, name, "etcd", "--name", name, "--data-dir", filepath.Join(folder, name),
				"--listen-peer-urls", "http://"+peers[i], "--initial-advertise-peer-urls", links[i],
				"--listen-client-urls", "http://"+clients[i], "--advertise-client-urls", "http://"+clients[i],
				"--initial-cluster", strings.Join(initial, ","), "--log-level", "warn"),
		)
	}
	return clients, nil
}

// planCoordinators returns their listeners. Each reaches each member of etcd by a link of its own.
func (c *chaosCluster) planCoordinators(folder string, members []string) (listeners []string, err error) {
	if listeners, err = freeAddresses(chaosCoordinators); err != nil {
		return nil, err
	}
	for i, listener := range listeners {
		name := fmt.Sprintf("coordinator-%d", i)
		var etcd []string
		for k, member := range members {
			address, err := c.network.link(name, fmt.Sprintf("etcd-%d", k), member)
			if err != nil {
				return nil, err
			}
			etcd = append(etcd, "http://"+address)
		}
		c.coordinators = append(
			c.coordinators,
			newChaosProcess(folder, name, "coordinator", "--name", name, "--listen", listener,
				"--etcd", strings.Join(etcd, ","), "--store", "file://"+c.disk.folder, "--status-listen", "",
				"--lease-ttl", c.leaseTTL.String(), "--log-level", "debug", "--log-format", "json"),
		)
	}
	return listeners, nil
}

// planNodes has each node reach each coordinator by a link of its own.
func (c *chaosCluster) planNodes(folder string, coordinators []string) error {
	for i := range chaosNodes {
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
			newChaosProcess(
				folder,
				name,
				"node",
				"--name",
				name,
				"--slots",
				"1",
				"--coordinator",
				strings.Join(addresses, ","),
				"--grace",
				"0s",
				"--drain-timeout",
				"10s",
				"--log-level",
				"debug",
				"--log-format",
				"json",
			),
		)
	}
	return nil
}

// processes are all of the cluster, in the order in which they start.
func (c *chaosCluster) processes() []*chaosProcess {
	var all []*chaosProcess
	all = append(all, c.etcds...)
	all = append(all, c.coordinators...)
	return append(all, c.nodes...)
}

// stop ends all processes as an operator would, in the order opposite to that of their start.
func (c *chaosCluster) stop(ctx context.Context) error {
	var errs []error
	for _, group := range [][]*chaosProcess{c.nodes, c.coordinators} {
		for _, p := range group {
			errs = append(errs, p.terminate(ctx))
		}
	}
	return errors.Join(errs...)
}

// close ends whatever is still there. The store is gone after it.
func (c *chaosCluster) close() error {
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

// freeAddresses are loopback addresses that nobody listens on.
func freeAddresses(n int) (addresses []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // all are held until the last is found, so that they differ
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}
