package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/cmd/phasegrid/reuse"
	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/node"
)

type nodeOptions struct {
	Client       client.Config
	Name         string
	Slots        int
	MemoryBytes  int64
	Grace        time.Duration
	DrainTimeout time.Duration
	Probe        probeOptions
	Memo         string
	log          *slog.Logger
}

func (m Main) nodeCommand() *cobra.Command {
	var o nodeOptions
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Run a node, which solves shards and delivers their rows",
		Long: `node works for a coordinator until it is told to stop. On SIGTERM or Ctrl-C it drains: finished
shards are delivered, the others are handed back, and it exits with 0.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.log, err = m.serverLogger(cmd); err != nil {
				return err
			}
			return runNode(cmd.Context(), o)
		},
	}
	addClientFlags(cmd.Flags(), &o.Client)
	flags := cmd.Flags()
	flags.StringVar(&o.Name, "name", "", "unique `name` of this node (default host name and process id)")
	flags.IntVar(&o.Slots, "slots", 0, "shards solved at once (default the number of cores)")
	flags.Int64Var(
		&o.MemoryBytes,
		"memory-bytes",
		0,
		"`bytes` of memory for shards (default what is free on the machine or in its cgroup)",
	)
	flags.DurationVar(&o.Grace, "grace", 5*time.Second, "how long shards may still be solved during a drain")
	flags.DurationVar(&o.DrainTimeout, "drain-timeout", 30*time.Second, "maximum time of a drain")
	o.Probe.addFlags(flags, "")
	flags.StringVar(
		&o.Memo,
		"memo",
		"",
		"`directory` with results of earlier sweeps, as run makes it for its own nodes",
	)
	cobra.CheckErr(flags.MarkHidden("memo"))
	return cmd
}

func runNode(ctx context.Context, o nodeOptions) error {
	o.Probe.Insecure = o.Probe.Insecure || o.Client.TLS.Insecure
	if err := o.Probe.check(); err != nil {
		return err
	}
	if err := (node.Config{Name: o.Name, Slots: o.Slots, MemoryBytes: o.MemoryBytes}).Check(); err != nil {
		return usageError{err}
	}
	creds, err := o.Client.Transport()
	if err != nil {
		return usageError{err}
	}
	conn, err := node.Dial(o.Client.Coordinator, node.Service, creds)
	if err != nil {
		return usageError{err}
	}
	defer conn.Close()
	registry, checks := processMetrics(), health.NewServer()
	checks.SetServingStatus(coordinator.LiveService, healthpb.HealthCheckResponse_SERVING)
	context.AfterFunc(ctx, func() { checks.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING) })
	cfg := node.Config{
		Name: o.Name, Slots: o.Slots, MemoryBytes: o.MemoryBytes, Version: currentVersion().Version,
		Grace: o.Grace, DrainTimeout: o.DrainTimeout, Log: o.log, Metrics: node.NewMetrics(registry),
	}
	if o.Memo != "" {
		memo, err := reuse.Open(o.Memo)
		if err != nil {
			return fmt.Errorf("open the results of earlier sweeps: %w", err)
		}
		defer memo.Close()
		cfg.Memo = memo
	}
	port, err := o.Probe.listen()
	if err != nil {
		return err
	}
	return withProbe(ctx, port, registry, checks, node.New(conn, cfg).Run)
}

// processMetrics is a registry with the metrics of every process.
func processMetrics() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return registry
}
