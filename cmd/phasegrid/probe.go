package main

import (
	"context"
	"fmt"
	"net"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/coordinator"
)

// probeOptions are the flags of the status port, which serves Prometheus and probes.
type probeOptions struct {
	Listen   string
	Insecure bool
}

// addFlags adds the flags. The default address differs by role: one machine may run many nodes, and
// each needs its own.
func (o *probeOptions) addFlags(flags *pflag.FlagSet, defaultListen string) {
	flags.StringVar(
		&o.Listen,
		"status-listen",
		defaultListen,
		"`address` for /metrics, /healthz and gRPC health checks, in plain text; empty for none",
	)
	flags.BoolVar(&o.Insecure, "status-insecure", false, "allow --status-listen beyond loopback")
}

// check rejects a malformed address, and plain text beyond loopback unless it is allowed.
func (o probeOptions) check() error {
	if o.Listen == "" {
		return nil
	}
	if err := client.CheckListen("--status-listen", o.Listen); err != nil {
		return usageError{err}
	}
	if o.Insecure || client.Loopback(o.Listen) {
		return nil
	}
	return usageError{
		fmt.Errorf(
			"--status-listen %s is plain text beyond loopback; listen on 127.0.0.1, or set --status-insecure",
			o.Listen,
		),
	}
}

// serve serves the port until ctx ends. It calls started, which may be nil, with the address.
func (o probeOptions) serve(
	ctx context.Context,
	metrics prometheus.Gatherer,
	health healthpb.HealthServer,
	started func(net.Addr),
) error {
	if o.Listen == "" {
		<-ctx.Done()
		return nil
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("listen for probes: %w; choose another --status-listen", err)
	}
	if started != nil {
		started(listener.Addr())
	}
	return coordinator.ServeProbes(ctx, listener, metrics, health, nil)
}
