package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	embeddedStart = 30 * time.Second
	embeddedQuota = 2 << 30
	// embeddedTTL may be long: nobody waits for it, and a disk that stalls for some seconds is no
	// reason to start again.
	embeddedTTL = time.Minute
	// A single member needs no time to hear from others: it elects itself after this.
	embeddedTickMs     = 10
	embeddedElectionMs = 100
)

// startEmbedded runs an etcd server in this process, on the data in a folder, without any listener:
// its client calls it directly. A lock on the folder says that this coordinator is alone.
func StartEmbedded(ctx context.Context, folder string, log *slog.Logger) (*etcdBackend, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("embedded etcd: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("embedded etcd: %w", err)
	}
	lock, err := lockFolder(folder)
	if err != nil {
		return nil, err
	}
	server, err := startServer(folder, log)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("embedded etcd in %s: %w", folder, err)
	}
	stop := func() {
		server.Close()
		lock.Close()
	}
	if err := ready(ctx, server); err != nil {
		server.Server.Stop() // Close alone would wait for a server that never became ready
		stop()
		return nil, fmt.Errorf("embedded etcd in %s: %w", folder, err)
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

// startServer starts etcd. It panics where it cannot write its log, for which it sets 64 MB aside
// first: that becomes an error with the cause, which it only logs.
func startServer(folder string, log *slog.Logger) (server *embed.Etcd, err error) {
	cause := errors.New("no cause is known")
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf(
				"%v: %w: its log takes 64 MB of disk when it starts; make room, or choose another folder",
				p,
				cause,
			)
		}
	}()
	return embed.StartEtcd(embeddedConfig(folder, zapLog{log: log, cause: &cause}))
}

func ready(ctx context.Context, server *embed.Etcd) error {
	timeout := time.NewTimer(embeddedStart)
	defer timeout.Stop()
	select {
	case <-server.Server.ReadyNotify():
		return nil
	case <-server.Server.StopNotify():
		return errors.New("stopped while it started")
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
	// The one member's address is part of the data; nobody listens there.
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

// lockFolder takes an exclusive lock that ends with the process.
func lockFolder(folder string) (*os.File, error) {
	path := filepath.Join(folder, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", folder, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		owner := make([]byte, 32)
		n, _ := f.ReadAt(owner, 0) // for the message only
		f.Close()
		return nil, fmt.Errorf(
			"%s is in use by process %q: stop it, or choose another folder: %w",
			folder,
			owner[:n],
			err,
		)
	}
	if err = f.Truncate(0); err == nil {
		_, err = fmt.Fprint(f, os.Getpid())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", folder, err)
	}
	return f, nil
}

// LevelFatal is the level of the last that a process says.
const LevelFatal = slog.LevelError + 4

// slogCore hands etcd's complaints to the coordinator's log, for those who look into etcd: what
// matters to others comes as errors of its calls, or is the last that the process says.
type zapLog struct {
	log   *slog.Logger
	cause *error // of a panic
}

var _ zapcore.Core = zapLog{}

func (c zapLog) Enabled(l zapcore.Level) bool { return l >= zapcore.ErrorLevel }

func (c zapLog) With([]zapcore.Field) zapcore.Core { return c }

func (c zapLog) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

func (c zapLog) Write(e zapcore.Entry, fields []zapcore.Field) error {
	encoder := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(encoder)
		if err, ok := f.Interface.(error); ok && e.Level == zapcore.PanicLevel {
			*c.cause = err
		}
	}
	if e.Level == zapcore.FatalLevel { // etcd ends the process when this returns, and nobody else says why
		c.log.Log(
			context.Background(),
			LevelFatal,
			"the embedded etcd cannot go on, and this process ends; what is acknowledged is kept: mend what is wrong, make room if its disk is full, and start it again",
			"cause",
			e.Message,
			"fields",
			encoder.Fields,
		)
		return nil
	}
	c.log.Debug("etcd: "+e.Message, "fields", encoder.Fields)
	return nil
}

func (c zapLog) Sync() error { return nil }
