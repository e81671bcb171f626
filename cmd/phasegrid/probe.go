package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/pflag"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// liveService is the health service that tells only whether the process
// answers. It asks nothing of etcd or the store, so that their outage does not
// make a supervisor restart every coordinator at once.
const liveService = "live"

// probeOptions are the flags of the port for supervisors: Prometheus and probes.
type probeOptions struct{ Listen string }

// addFlags takes the address that is used where none is given: of the many nodes
// that one machine may run each needs its own.
func (o *probeOptions) addFlags(flags *pflag.FlagSet, fallback string) {
	flags.StringVar(&o.Listen, "status-listen", fallback,
		"`address` for /metrics, /healthz and gRPC health checks, in plain text: Kubernetes' probes know no TLS; empty for none")
}

// serve runs the port until ctx ends and tells its address to started, which
// may be nil. The port shows counters and health and takes no orders, which is
// why it may be plain text on any address that it is given.
func (o probeOptions) serve(ctx context.Context, metrics prometheus.Gatherer, health healthpb.HealthServer, started func(net.Addr)) error {
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
	server := &http.Server{Handler: probeHandler(metrics, health), ReadHeaderTimeout: 5 * time.Second}
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true) // gRPC without TLS

	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("serving probes: %w", err)
	case <-ctx.Done():
	}
	// Watches of health never end by themselves: close rather than wait.
	err = server.Close()
	if served := <-done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// probeHandler answers gRPC and HTTP on one port. /healthz answers for the
// health service in its query, /healthz?service=live, or for the process.
func probeHandler(metrics prometheus.Gatherer, health healthpb.HealthServer) http.Handler {
	rpc := grpc.NewServer()
	healthpb.RegisterHealthServer(rpc, health)
	pages := http.NewServeMux()
	pages.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	pages.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		answer, err := health.Check(r.Context(), &healthpb.HealthCheckRequest{Service: r.URL.Query().Get("service")})
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		if answer.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintln(w, answer.GetStatus())
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			rpc.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}
