package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/phasegrid/phasegrid/coordinator"
)

type coordinatorOptions struct {
	Name          string
	Listen        string
	Advertise     string
	StatusListen  string
	Etcd          []string
	EmbeddedEtcd  string
	Store         string
	LeaseTTL      time.Duration
	Mergers       int
	MaxPointBytes int64
	TLS           tlsOptions
	log           *slog.Logger
}

func (m Main) coordinatorCommand() *cobra.Command {
	var o coordinatorOptions
	cmd := &cobra.Command{
		Use:   "coordinator",
		Short: "Run a coordinator of a cluster: it hands out shards and merges their rows",
		Long: `coordinator serves clients and nodes. Its state is in etcd and its results are in the store; with several coordinators one
leads and the others wait to take over, and all need the same --etcd and --store.`,
		Example: `  phasegrid coordinator --embedded-etcd state --store file://$PWD/results
  phasegrid coordinator --etcd https://etcd-0:2379,https://etcd-1:2379 --store s3://results?region=eu-central-1 \
    --listen 0.0.0.0:7443 --tls-cert coordinator.crt --tls-key coordinator.key --tls-ca ca.crt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.log, err = m.logger(cmd); err != nil {
				return err
			}
			return runCoordinator(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Name, "name", "", "`name` of this coordinator in logs (default the host name)")
	flags.StringVar(&o.Listen, "listen", defaultCoordinator, "`address` for clients and nodes")
	flags.StringVar(&o.Advertise, "advertise", "", "`address` at which clients and nodes reach this coordinator (default that of --listen)")
	flags.StringVar(&o.StatusListen, "status-listen", "",
		"`address` for /metrics, /healthz and gRPC health checks, in plain text: Kubernetes' probes know no TLS; empty for none")
	flags.StringSliceVar(&o.Etcd, "etcd", nil, "`URLs` of the etcd cluster with the state")
	flags.StringVar(&o.EmbeddedEtcd, "embedded-etcd", "", "`folder` for an etcd in this process, where there is one coordinator only")
	flags.StringVar(&o.Store, "store", "", "`URL` of the store for results: file:///folder or s3://bucket?region=...")
	flags.DurationVar(&o.LeaseTTL, "lease-ttl", 10*time.Second, "a node silent for so long is lost")
	flags.IntVar(&o.Mergers, "mergers", 1, "parts merged at once; each takes a core")
	flags.Int64Var(&o.MaxPointBytes, "max-point-bytes", 2<<30, "refuse sweeps with a point that needs more `bytes` of memory")
	o.TLS.addFlags(flags)
	return cmd
}

func runCoordinator(ctx context.Context, o coordinatorOptions) error {
	creds, mutual, err := o.TLS.transport(o.Listen)
	if err != nil {
		return usageError{err}
	}
	etcd := coordinator.Etcd{Endpoints: o.Etcd}
	if etcd.Credentials, err = o.TLS.etcd(o.Etcd); err != nil {
		return usageError{err}
	}
	if o.Store == "" {
		return usageError{errors.New("--store is missing: give file:///folder or s3://bucket")}
	}
	store, err := coordinator.OpenStore(ctx, o.Store)
	if err != nil {
		return fmt.Errorf("--store: %w", err)
	}
	config := coordinator.Config{
		Name: o.Name, Address: o.Listen, Advertise: o.Advertise, StatusAddress: o.StatusListen,
		Insecure: o.TLS.Insecure, Etcd: etcd, Embedded: o.EmbeddedEtcd, Store: store,
		LeaseTTL: o.LeaseTTL, Mergers: o.Mergers, MaxPointBytes: o.MaxPointBytes,
		GitRevision: currentVersion().Revision, Registry: processMetrics(), Logger: o.log,
	}
	if mutual {
		config.Credentials = creds
		config.ServerOptions = []grpc.ServerOption{
			grpc.ChainUnaryInterceptor(coordinator.AuthorizeUnary),
			grpc.ChainStreamInterceptor(coordinator.AuthorizeStream),
		}
	}
	c, err := coordinator.New(config)
	if err != nil {
		return usageError{err}
	}
	return c.Run(ctx)
}
