package admission

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Role is what the holder of a certificate may do. It is a URI among the subject alternative names,
// "spiffe://phasegrid/role/" + role; a certificate may have several.
type Role string

const (
	RoleClient      Role = "client"      // may call Sweeps, Flight and reflection
	RoleNode        Role = "node"        // may call Nodes
	RoleCoordinator Role = "coordinator" // serves and calls etcd, but no service of a coordinator
)

// roleURI is the prefix of the role in a certificate.
const roleURI = "spiffe://phasegrid/role/"

// URI is the alternative name that gives a certificate the role.
func (r Role) URI() string { return roleURI + string(r) }

// rolesOf returns the roles in a certificate, in its order. Other names are ignored.
func rolesOf(certificate *x509.Certificate) []Role {
	var roles []Role
	for _, uri := range certificate.URIs {
		if name, ok := strings.CutPrefix(uri.String(), roleURI); ok {
			roles = append(roles, Role(name))
		}
	}
	return roles
}

// callers returns the roles that may call a method, which is given as "/package.Service/Method".
// Every role may call Health, and none a service that is not listed.
func callers(method string) []Role {
	service, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	switch service {
	case "phasegrid.v1.Sweeps", "arrow.flight.protocol.FlightService",
		"grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection":
		return []Role{RoleClient}
	case "phasegrid.v1.Nodes":
		return []Role{RoleNode}
	case "grpc.health.v1.Health":
		return []Role{RoleClient, RoleNode, RoleCoordinator}
	}
	return nil
}

// authorize returns nil if the certificate of the peer, which TLS has verified, has a role that may
// call method: otherwise Unauthenticated without a certificate, PermissionDenied with the wrong
// one.
func authorize(ctx context.Context, method string) error {
	from, _ := peer.FromContext(ctx)
	if from == nil {
		return status.Error(codes.Unauthenticated, "authorize call: unknown peer")
	}
	info, ok := from.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return status.Error(
			codes.Unauthenticated, "authorize call: no client certificate; set --tls-cert, --tls-key and --tls-ca",
		)
	}
	have, need := rolesOf(info.State.VerifiedChains[0][0]), callers(method)
	for _, role := range have {
		if slices.Contains(need, role) {
			return nil
		}
	}
	return status.Errorf(
		codes.PermissionDenied,
		"call %s: certificate has role %s, want role %s; make one with `phasegrid certs`", method, names(have),
		names(need),
	)
}

func names(roles []Role) string {
	if len(roles) == 0 {
		return "none"
	}
	words := make([]string, len(roles))
	for i, role := range roles {
		words[i] = string(role)
	}
	return strings.Join(words, " or ")
}
