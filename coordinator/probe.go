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

	"github.com/phasegrid/phasegrid/coordinator/admission"
)

// LiveService is the health service that only reports whether the process answers. It depends
// neither on etcd nor on the store, so that their outage does not make a supervisor restart every
// coordinator at once.
const LiveService = "live"

const (
	probeTimeout  = 10 * time.Second // to receive a request
	maxProbeBytes = 4 << 10          // of a request for gRPC health
)

// ServeProbes serves probes of supervisors until ctx ends, in plain text on one port, since probes
// of Kubernetes do not use TLS: /metrics, /healthz (of the process, or of the health service in its
// query: /healthz?service=live), further pages by path, and gRPC health. It is read only; the
// caller decides whether the listener may be beyond loopback.
func ServeProbes(
	ctx context.Context,
	listener net.Listener,
	metrics prometheus.Gatherer,
	health healthpb.HealthServer,
	pages map[string]http.HandlerFunc,
) error {
	server := &http.Server{
		Handler:           probes(metrics, health, pages),
		ReadHeaderTimeout: admission.HandshakeTimeout,
		ReadTimeout:       probeTimeout,
		IdleTimeout:       admission.IdleTimeout,
		MaxHeaderBytes:    admission.SmallMessage,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 16, MaxReceiveBufferPerConnection: 64 << 10, MaxReceiveBufferPerStream: 16 << 10,
		},
		ConnContext: admission.ConnContext,
	}
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true) // gRPC without TLS
	// Health watches never end by themselves, so close the server instead of waiting for them.
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve probes: %w", err)
	}
	return nil
}

// probes serves gRPC and HTTP.
func probes(metrics prometheus.Gatherer, health healthpb.HealthServer, pages map[string]http.HandlerFunc) http.Handler {
	rpc := grpc.NewServer(grpc.MaxRecvMsgSize(maxProbeBytes))
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
		admission.Prove(r.Context())
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			rpc.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
