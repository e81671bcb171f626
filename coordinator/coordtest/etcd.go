package coordtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
)

const (
	etcdStart = 30 * time.Second
	// An address that was free may be held for a moment: see StartEtcd.
	bindTries = 100
	bindDelay = 50 * time.Millisecond
)

// EtcdConfig configures an etcd server of one member, with its data in folder, on loopback
// addresses that were free.
func EtcdConfig(folder string) (*embed.Config, error) {
	cfg := embed.NewConfig()
	cfg.Dir = folder
	peer, err := freeURL()
	if err != nil {
		return nil, err
	}
	client, err := freeURL()
	if err != nil {
		return nil, err
	}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.InitialCluster = cfg.Name + "=" + peer.String()
	cfg.TickMs, cfg.ElectionMs = 10, 100 // a single member need not wait for others
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	return cfg, nil
}

// StartEtcd starts an etcd server and waits until it is ready. The caller closes it.
func StartEtcd(cfg *embed.Config) (*embed.Etcd, error) {
	server, err := embed.StartEtcd(cfg)
	// A process that another test is starting holds a copy of the listener that found the address,
	// until it executes another program.
	for tries := 0; errors.Is(err, syscall.EADDRINUSE) && tries < bindTries; tries++ {
		time.Sleep(bindDelay)
		server, err = embed.StartEtcd(cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("start etcd: %w", err)
	}
	select {
	case <-server.Server.ReadyNotify():
		return server, nil
	case <-time.After(etcdStart):
		server.Server.Stop()
		server.Close()
		return nil, fmt.Errorf("start etcd: not ready after %v", etcdStart)
	}
}

// freeURL is on a loopback address of its own, where the system has one: a port of 127.0.0.1 that
// was free may be taken by another test, or by a connection, before etcd listens on it.
func freeURL() (url.URL, error) {
	own := fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
	l, err := net.Listen("tcp", own)
	if err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return url.URL{}, err
	}
	defer l.Close()
	return url.URL{Scheme: "http", Host: l.Addr().String()}, nil
}
