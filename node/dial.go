package node

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/health" // client-side health checks, enabled by serviceConfig
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
)

// maxReceiveBytes bounds one message from a coordinator; the longest are grants and specs.
const maxReceiveBytes = 16 << 20

// serviceConfig balances over all addresses of a name and sends only to the coordinator whose
// health check reports that it serves the service: the leader.
const serviceConfig = `{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":%q}}`

// Dial creates a link to the coordinators at a gRPC target, or at several comma-separated host:port
// addresses. A bare host:port is resolved by DNS, and every address found is tried. The health of
// service decides which coordinator is the leader.
func Dial(target, service string, creds credentials.TransportCredentials, opts ...grpc.DialOption) (*Link, error) {
	opts = append([]grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithDefaultServiceConfig(fmt.Sprintf(serviceConfig, service)),
		grpc.WithKeepaliveParams(
			keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true},
		),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay:  100 * time.Millisecond,
				Multiplier: 1.6,
				Jitter:     0.2,
				MaxDelay:   2 * time.Second,
			},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxReceiveBytes)),
	}, opts...)
	opts = append(opts, explainLookups()...) // innermost, so that other interceptors see the reason
	return newLink(func() (*grpc.ClientConn, error) {
		if addresses := strings.Split(target, ","); len(addresses) > 1 {
			return grpc.NewClient(
				"list:///coordinators",
				append(slices.Clone(opts), grpc.WithResolvers(listOf(addresses)))...)
		}
		return grpc.NewClient(target, opts...)
	}, target)
}

// listOf resolves to the addresses themselves, each with its own server name for TLS.
func listOf(addresses []string) *manual.Resolver {
	r := manual.NewBuilderWithScheme("list")
	var state resolver.State
	for _, address := range addresses {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			host = address
		}
		state.Addresses = append(state.Addresses, resolver.Address{Addr: address, ServerName: host})
	}
	r.InitialState(state)
	return r
}
