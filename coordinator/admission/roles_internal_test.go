package admission

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// peerWith is the context of a call with a verified certificate that has these alternative names.
func peerWith(t *testing.T, uris ...string) context.Context {
	t.Helper()
	certificate := &x509.Certificate{}
	for _, text := range uris {
		uri, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		certificate.URIs = append(certificate.URIs, uri)
	}
	state := tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{certificate}}}
	return peer.NewContext(t.Context(), &peer.Peer{AuthInfo: credentials.TLSInfo{State: state}})
}

func TestRoleDecidesWhichServiceAPeerMayCall(t *testing.T) {
	const (
		client = "spiffe://phasegrid/role/client"
		node   = "spiffe://phasegrid/role/node"
		server = "spiffe://phasegrid/role/coordinator"
	)
	tests := []struct {
		name   string
		uris   []string
		method string
		want   codes.Code
	}{
		{"client submits", []string{client}, "/phasegrid.v1.Sweeps/Submit", codes.OK},
		{"client reads by Flight", []string{client}, "/arrow.flight.protocol.FlightService/DoGet", codes.OK},
		{"client reflects", []string{client}, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", codes.OK},
		{"client delivers", []string{client}, "/phasegrid.v1.Nodes/Deliver", codes.PermissionDenied},
		{"node delivers", []string{node}, "/phasegrid.v1.Nodes/Deliver", codes.OK},
		{"node submits", []string{node}, "/phasegrid.v1.Sweeps/Submit", codes.PermissionDenied},
		{"node reads by Flight", []string{node}, "/arrow.flight.protocol.FlightService/DoGet", codes.PermissionDenied},
		{"coordinator submits", []string{server}, "/phasegrid.v1.Sweeps/Submit", codes.PermissionDenied},
		{"coordinator asks for health", []string{server}, "/grpc.health.v1.Health/Check", codes.OK},
		{"both roles submit", []string{node, client}, "/phasegrid.v1.Sweeps/Submit", codes.OK},
		{"no role", nil, "/phasegrid.v1.Sweeps/Submit", codes.PermissionDenied},
		{"no role asks for health", nil, "/grpc.health.v1.Health/Check", codes.PermissionDenied},
		{
			"role of another trust domain",
			[]string{"spiffe://elsewhere/role/client"},
			"/phasegrid.v1.Sweeps/Submit",
			codes.PermissionDenied,
		},
		{"role that only begins alike", []string{client + "/x"}, "/phasegrid.v1.Sweeps/Submit", codes.PermissionDenied},
		{"unknown service", []string{client, node, server}, "/phasegrid.v1.Other/Call", codes.PermissionDenied},
		{"no service", []string{client}, "", codes.PermissionDenied},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := authorize(peerWith(t, test.uris...), test.method); status.Code(err) != test.want {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestCallsWithoutAVerifiedCertificateAreUnauthenticated(t *testing.T) {
	contexts := map[string]context.Context{
		"no peer":      t.Context(),
		"plain text":   peer.NewContext(t.Context(), &peer.Peer{}),
		"not verified": peer.NewContext(t.Context(), &peer.Peer{AuthInfo: credentials.TLSInfo{}}),
	}
	for name, ctx := range contexts {
		err := authorize(ctx, "/grpc.health.v1.Health/Check")
		if status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s: got %v, want Unauthenticated", name, err)
		}
	}
}
