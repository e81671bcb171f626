package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/coordinator"
	"github.com/phasegrid/phasegrid/coordinator/admission"
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
	return usageError{fmt.Errorf(
		"--status-listen %s is plain text beyond loopback; listen on 127.0.0.1, or set --status-insecure",
		o.Listen,
	)}
}

// listen opens the port; nil without an address.
func (o probeOptions) listen() (net.Listener, error) {
	if o.Listen == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for probes: %w; choose another --status-listen", err)
	}
	caps := admission.ProbeCaps(admission.Descriptors())
	return admission.LimitListener(listener, caps, admission.ConnectionMetrics{}), nil
}

// withProbe runs work and serves port, unless that is nil, until work has ended. If the port fails,
// work ends.
func withProbe(
	ctx context.Context,
	port net.Listener,
	metrics prometheus.Gatherer,
	checks healthpb.HealthServer,
	work func(context.Context) error,
) error {
	if port == nil {
		return work(ctx)
	}
	probeContext, stopProbe := context.WithCancel(context.WithoutCancel(ctx))
	defer stopProbe()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, 1)
	go func() {
		failed <- coordinator.ServeProbes(probeContext, port, metrics, checks, nil)
		stop()
	}()
	err := work(ctx)
	stopProbe()
	return errors.Join(err, <-failed)
}
