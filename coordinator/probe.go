package coordinator

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
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// LiveService is the health service that tells only whether the process answers.
// It asks nothing of etcd or the store, so that their outage does not make a
// supervisor restart every coordinator at once.
const LiveService = "live"

// ServeProbes serves supervisors until ctx ends, on one port and in plain text,
// as Kubernetes' probes know no TLS: /metrics, /healthz (of the process, or of
// the health service in its query: /healthz?service=live), further pages by
// path, and gRPC health. It shows counters and health and takes no orders;
// whether it may leave loopback is for its caller to ask.
func ServeProbes(
	ctx context.Context,
	listener net.Listener,
	metrics prometheus.Gatherer,
	health healthpb.HealthServer,
	pages map[string]http.HandlerFunc,
) error {
	server := &http.Server{Handler: probes(metrics, health, pages), ReadHeaderTimeout: 10 * time.Second}
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true) // gRPC without TLS
	// Watches of health never end by themselves: close rather than wait.
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve status: %w", err)
	}
	return nil
}

// probes answers gRPC and HTTP.
func probes(metrics prometheus.Gatherer, health healthpb.HealthServer, pages map[string]http.HandlerFunc) http.Handler {
	rpc := grpc.NewServer()
	healthpb.RegisterHealthServer(rpc, health)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		answer, err := health.Check(r.Context(), &healthpb.HealthCheckRequest{Service: r.URL.Query().Get("service")})
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		if answer.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			http.Error(w, answer.GetStatus().String(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	for path, page := range pages {
		mux.HandleFunc("GET "+path, page)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			rpc.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
