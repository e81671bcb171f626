package main

import (
	"context"
	"fmt"
	"net"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/phasegrid/phasegrid/coordinator"
)

// probeOptions are the flags of the port for supervisors: Prometheus and probes.
type probeOptions struct {
	Listen   string
	Insecure bool
}

// addFlags takes the address that is used where none is given: of the many nodes
// that one machine may run each needs its own.
func (o *probeOptions) addFlags(flags *pflag.FlagSet, fallback string) {
	flags.StringVar(
		&o.Listen,
		"status-listen",
		fallback,
		"`address` for /metrics, /healthz and gRPC health checks, in plain text: Kubernetes' probes know no TLS; empty for none",
	)
	flags.BoolVar(
		&o.Insecure,
		"status-insecure",
		false,
		"allow --status-listen beyond loopback, for those who probe and scrape from elsewhere",
	)
}

// check refuses to show plain text to other machines unless somebody says so.
func (o probeOptions) check() error {
	if o.Listen == "" || o.Insecure || client.Loopback(o.Listen) {
		return nil
	}
	return usageError{
		fmt.Errorf(
			"--status-listen %s is plain text and not on this machine's loopback: listen on 127.0.0.1, or give --status-insecure",
			o.Listen,
		),
	}
}

// serve runs the port until ctx ends and tells its address to started, which
// may be nil.
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
		return fmt.Errorf("listening for probes: %w; choose another --status-listen", err)
	}
	if started != nil {
		started(listener.Addr())
	}
	return coordinator.ServeProbes(ctx, listener, metrics, health, nil)
}
