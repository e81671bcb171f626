package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator"
)

// TestProbePort probes as the kubelet does (gRPC in plain text) and as people and Prometheus do
// (HTTP), on the same port.
func TestProbePort(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	registry, live := prometheus.NewRegistry(), health.NewServer()
	registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "phasegrid_test"}, func() float64 { return 42 }),
	)
	live.SetServingStatus(coordinator.LiveService, healthpb.HealthCheckResponse_SERVING)
	live.SetServingStatus("phasegrid.v1.Sweeps", healthpb.HealthCheckResponse_NOT_SERVING)

	ctx, cancel := context.WithCancel(t.Context())
	port, err := probeOptions{Listen: "127.0.0.1:0"}.listen()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- coordinator.ServeProbes(ctx, port, registry, live, nil) }()
	address := port.Addr().String()

	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	// An open watch must not delay the end.
	watch, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Recv(); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	tests := []struct {
		service string
		want    healthpb.HealthCheckResponse_ServingStatus
		code    codes.Code
		http    int
	}{
		{"", healthpb.HealthCheckResponse_SERVING, codes.OK, 200},
		{coordinator.LiveService, healthpb.HealthCheckResponse_SERVING, codes.OK, 200},
		{"phasegrid.v1.Sweeps", healthpb.HealthCheckResponse_NOT_SERVING, codes.OK, 503},
		{"unknown", healthpb.HealthCheckResponse_UNKNOWN, codes.NotFound, 404},
	}
	for _, test := range tests {
		answer, err := healthpb.NewHealthClient(
			conn,
		).Check(
			t.Context(),
			&healthpb.HealthCheckRequest{Service: test.service},
		)
		if status.Code(err) != test.code || answer.GetStatus() != test.want {
			t.Errorf("gRPC %q: %v, %v", test.service, answer.GetStatus(), err)
		}
		if code, _ := get(t, client, "http://"+address+"/healthz?service="+test.service); code != test.http {
			t.Errorf("HTTP %q: %d, want %d", test.service, code, test.http)
		}
	}
	if code, body := get(t, client, "http://"+address+"/metrics"); code != 200 ||
		!strings.Contains(body, "phasegrid_test 42") {
		t.Errorf("/metrics: %d\n%s", code, body)
	}

	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	conn.Close()
}

func get(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestProbePortInUseIsAnError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, err = probeOptions{Listen: listener.Addr().String()}.listen()
	if err == nil || !strings.Contains(err.Error(), "--status-listen") {
		t.Errorf("got %v", err)
	}
}
