package coordinator

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Role is what a certificate allows its holder to be. It stands in the
// certificate as a URI among the subject's alternative names,
// "spiffe://phasegrid/role/" + role; a certificate may hold several.
type Role string

const (
	RoleClient      Role = "client"      // calls Sweeps, Flight and reflection
	RoleNode        Role = "node"        // calls Nodes
	RoleCoordinator Role = "coordinator" // serves; calls etcd, and no service of a coordinator
)

// roleURI comes before the role's name in a certificate.
const roleURI = "spiffe://phasegrid/role/"

// URI is the alternative name that gives a certificate the role.
func (r Role) URI() string { return roleURI + string(r) }

// RolesOf lists the roles in a certificate, in its order. Names that are no
// role of phasegrid are passed over.
func RolesOf(certificate *x509.Certificate) []Role {
	var roles []Role
	for _, uri := range certificate.URIs {
		if name, ok := strings.CutPrefix(uri.String(), roleURI); ok {
			roles = append(roles, Role(name))
		}
	}
	return roles
}

// callers lists the roles that may call a method, given as gRPC names it:
// "/package.Service/Method". Health is open to every certificate, and a service
// that is not listed to none.
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

// authorize returns nil if the peer's certificate, which TLS has verified, has a
// role that may call method: Unauthenticated without a certificate,
// PermissionDenied with the wrong one.
func authorize(ctx context.Context, method string) error {
	from, _ := peer.FromContext(ctx)
	if from == nil {
		return status.Error(codes.Unauthenticated, "no peer is known for this call")
	}
	info, ok := from.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return status.Error(codes.Unauthenticated, "no client certificate: give --tls-cert, --tls-key and --tls-ca")
	}
	have, need := RolesOf(info.State.VerifiedChains[0][0]), callers(method)
	for _, role := range have {
		if slices.Contains(need, role) {
			return nil
		}
	}
	return status.Errorf(
		codes.PermissionDenied,
		"%s is for certificates of role %s; this one has role %s: make one with `phasegrid certs`",
		method,
		names(need),
		names(have),
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

// AuthorizeUnary refuses calls that the peer's role does not allow. It belongs
// before every other interceptor of a server with mutual TLS.
func AuthorizeUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := authorize(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	return next(ctx, request)
}

// AuthorizeStream is AuthorizeUnary for streams.
func AuthorizeStream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := authorize(stream.Context(), info.FullMethod); err != nil {
		return err
	}
	return next(server, stream)
}
