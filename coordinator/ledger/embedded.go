package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
)

const (
	embeddedStart = 30 * time.Second
	embeddedQuota = 2 << 30
	// embeddedTTL may be long: no other process waits for the session to expire, and a disk that
	// stalls for seconds is no reason to lose leadership.
	embeddedTTL = time.Minute
	// A single member need not wait for heartbeats of others: it elects itself after this.
	embeddedTickMs     = 10
	embeddedElectionMs = 100
)

// ErrDamaged is the cause of an error about an embedded etcd that cannot read its data.
var ErrDamaged = errors.New("state is damaged")

// StartEmbedded runs an etcd server in this process on the data in a folder. It has no listener:
// its client calls it directly. A lock on the folder makes it the only one. The error has
// ErrDamaged if the data cannot be read.
func StartEmbedded(ctx context.Context, folder string, log *slog.Logger) (Backend, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("start embedded etcd: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("start embedded etcd: %w", err)
	}
	unlock, err := LockFolder(folder, "folder")
	if err != nil {
		return nil, err
	}
	server, err := startServer(folder, log)
	if err != nil {
		unlock()
		return nil, fmt.Errorf("start embedded etcd in %s: %w", folder, err)
	}
	stop := func() {
		server.Close()
		unlock()
	}
	if err := ready(ctx, server); err != nil {
		server.Server.Stop() // Close would wait for a server that never became ready
		stop()
		return nil, fmt.Errorf("start embedded etcd in %s: %w", folder, err)
	}
	return &etcdBackend{
		client:    v3client.New(server.Server),
		log:       log,
		ttl:       embeddedTTL,
		timeout:   etcdTimeout,
		exclusive: true,
		stop:      stop,
	}, nil
}

// startServer starts etcd, which panics if it cannot write its log (it preallocates 64 MB), or
// where the log is damaged in some ways. The panic becomes an error with the cause that etcd only
// logs.
func startServer(folder string, log *slog.Logger) (server *embed.Etcd, err error) {
	var cause error
	defer func() {
		p := recover()
		switch {
		case p == nil && err == nil:
		case p == nil:
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		case cause == nil: // etcd did not expect what it read
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		default:
			err = fmt.Errorf(
				"%v: %w; its log needs 64 MB of free disk: free some, or choose another folder", p, cause,
			)
		}
	}()
	return embed.StartEtcd(embeddedConfig(folder, zapLog{log: log, cause: &cause}))
}

// ready waits until the server is ready.
func ready(ctx context.Context, server *embed.Etcd) error {
	timeout := time.NewTimer(embeddedStart)
	defer timeout.Stop()
	select {
	case <-server.Server.ReadyNotify():
		return nil
	case <-server.Server.StopNotify():
		return errors.New("server stopped during start")
	case err := <-server.Err():
		return err
	case <-timeout.C:
		return fmt.Errorf("not ready after %v", embeddedStart)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func embeddedConfig(folder string, log zapLog) *embed.Config {
	cfg := embed.NewConfig()
	cfg.Name = "phasegrid"
	cfg.Dir = filepath.Join(folder, "etcd")
	// The address of the only member is part of the data; nothing listens there.
	peer := url.URL{Scheme: "http", Host: "127.0.0.1:2380"}
	cfg.AdvertisePeerUrls = []url.URL{peer}
	cfg.InitialCluster = cfg.Name + "=" + peer.String()
	cfg.ListenPeerUrls, cfg.ListenClientUrls, cfg.AdvertiseClientUrls = nil, nil, nil
	cfg.TickMs, cfg.ElectionMs = embeddedTickMs, embeddedElectionMs
	cfg.QuotaBackendBytes = embeddedQuota
	cfg.AutoCompactionMode, cfg.AutoCompactionRetention = embed.CompactorModePeriodic, "10m"
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.New(log))
	return cfg
}
