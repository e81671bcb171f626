package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/admission"
	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/store"
)

type coordinatorOptions struct {
	Name          string
	Listen        string
	Advertise     string
	Probe         probeOptions
	Etcd          []string
	EmbeddedEtcd  string
	Store         string
	Spool         string
	AdoptStore    string
	LeaseTTL      time.Duration
	MaxPointBytes int64
	// PeerConnections bounds the connections of one address; 0 is the default.
	PeerConnections int
	TLS             client.TLS
	log             *slog.Logger
}

func (m Main) coordinatorCommand() *cobra.Command {
	var o coordinatorOptions
	cmd := &cobra.Command{
		Use:   "coordinator",
		Short: "Run a coordinator, which leases shards to nodes and merges their rows",
		Long: `coordinator serves clients and leases shards to nodes. With --etcd, several coordinators can run,
and one of them leads; with --embedded-etcd there is only one. Result sets go to --store:
file:///directory, shared by all coordinators, or s3://bucket. On SIGTERM it hands over and exits
with 0.`,
		Example: `  phasegrid coordinator --embedded-etcd /var/lib/phasegrid/etcd --store file:///srv/results
  phasegrid coordinator --etcd http://127.0.0.1:2379 --store 's3://results?region=eu-central-1'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.log, err = m.serverLogger(cmd); err != nil {
				return err
			}
			return runCoordinator(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Name, "name", "", "`name` in logs (default the host name)")
	flags.StringVar(&o.Listen, "listen", defaultCoordinator, "`address` to listen on for clients and nodes")
	flags.StringVar(
		&o.Advertise,
		"advertise",
		"",
		"`address` at which other hosts reach this coordinator (default --listen)",
	)
	o.Probe.addFlags(flags, "127.0.0.1:9464")
	flags.StringSliceVar(&o.Etcd, "etcd", nil, "`URLs` of an etcd cluster")
	flags.StringVar(
		&o.EmbeddedEtcd,
		"embedded-etcd",
		"",
		"`directory` of an etcd in this process, for a single coordinator",
	)
	flags.StringVar(&o.Store, "store", "", "`URL` for result sets: file:///directory or s3://bucket")
	flags.StringVar(&o.Spool, "spool", "", "`URL` for shards that are not merged yet (default --store)")
	flags.StringVar(
		&o.AdoptStore,
		"adopt-store",
		"",
		"`ID` of the cluster that owns --store (--spool, if given) and will not run again: take its place, once",
	)
	flags.DurationVar(
		&o.LeaseTTL,
		"lease-ttl",
		10*time.Second,
		"time without heartbeats after which a node loses its leases; at least 1s",
	)
	addPointBytesFlag(cmd, &o.MaxPointBytes)
	flags.IntVar(
		&o.PeerConnections,
		"peer-connections",
		0,
		"maximum `number` of connections of one address (default three quarters of all)",
	)
	addTLSFlags(flags, &o.TLS)
	return cmd
}

func runCoordinator(ctx context.Context, o coordinatorOptions) error {
	cfg, err := o.config(ctx)
	if err != nil {
		return err
	}
	if o.EmbeddedEtcd != "" {
		unlock, err := ledger.LockFolder(o.EmbeddedEtcd, "--embedded-etcd")
		if err != nil {
			return err
		}
		defer unlock()
		cfg.Embedded = filepath.Join(o.EmbeddedEtcd, "etcd")
	}
	c, err := coordinator.New(cfg)
	if err != nil {
		return usageError{err}
	}
	return c.Run(ctx)
}

// config checks the options and opens the stores that they name.
func (o coordinatorOptions) config(ctx context.Context) (coordinator.Config, error) {
	var none coordinator.Config
	switch {
	case (o.EmbeddedEtcd == "") == (len(o.Etcd) == 0):
		return none, usageError{errors.New("exactly one of --etcd and --embedded-etcd is required")}
	case o.Store == "":
		return none, usageError{errors.New("--store is required: file:///directory or s3://bucket")}
	case len(o.Etcd) > 0 && o.Advertise == "" && anyAddress(o.Listen):
		return none, usageError{fmt.Errorf("--listen %s is not reachable from other hosts; set --advertise", o.Listen)}
	}
	if err := client.CheckListen("--listen", o.Listen); err != nil {
		return none, usageError{err}
	}
	if o.Advertise != "" {
		if err := client.CheckTarget("--advertise", o.Advertise); err != nil {
			return none, usageError{err}
		}
	}
	o.Probe.Insecure = o.Probe.Insecure || o.TLS.Insecure
	if err := o.Probe.check(); err != nil {
		return none, err
	}
	creds, mutual, err := o.TLS.Transport(o.Listen)
	if err != nil {
		return none, usageError{err}
	}
	if err := o.TLS.CheckRole(admission.RoleCoordinator); err != nil {
		return none, usageError{err}
	}
	cfg := coordinator.Config{
		Name: o.Name, Address: o.Listen, Advertise: o.Advertise, Insecure: o.TLS.Insecure,
		StatusAddress: o.Probe.Listen, StatusInsecure: o.Probe.Insecure,
		AdoptStore: o.AdoptStore,
		LeaseTTL:   o.LeaseTTL, MaxPointBytes: o.MaxPointBytes, GitRevision: currentVersion().Revision,
		PeerConnections: o.PeerConnections, Registry: processMetrics(), Logger: o.log,
	}
	if mutual {
		cfg.Credentials, cfg.Authorize = creds, true
	}
	if len(o.Etcd) > 0 {
		cfg.Etcd.Endpoints = o.Etcd
		if cfg.Etcd.Credentials, err = o.TLS.EtcdTransport(o.Etcd); err != nil {
			return none, usageError{err}
		}
	}
	if cfg.Store, err = openStore(ctx, "--store", o.Store); err != nil {
		return none, err
	}
	if o.Spool != "" {
		if cfg.Spool, err = openStore(ctx, "--spool", o.Spool); err != nil {
			return none, err
		}
	}
	return cfg, nil
}

// anyAddress reports whether a listener's address stands for all addresses of the machine.
func anyAddress(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// openStore opens the store that a flag names.
func openStore(ctx context.Context, flag, url string) (store.Store, error) {
	opened, err := store.Open(ctx, url)
	switch {
	case errors.Is(err, store.ErrURL):
		return nil, usageError{fmt.Errorf("%s: %w", flag, err)}
	case err != nil:
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return opened, nil
}
