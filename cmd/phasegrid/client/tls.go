package client

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/phasegrid/phasegrid/coordinator/admission"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// TLS are the options of every command that opens or dials a gRPC port: files in PEM.
type TLS struct {
	Cert, Key string // of this process; the role in the certificate decides what it may call
	CA        string // authorities that must have issued the peers' certificates
	Insecure  bool   // allow plain text beyond loopback
}

// identity returns nil if there is no certificate. It reads the files, so that a wrong one is an
// error at start and not at the first handshake.
func (o TLS) identity() (*identity, error) {
	switch {
	case o.Cert == "" && o.Key == "" && o.CA == "":
		return nil, nil
	case o.Cert == "" || o.Key == "" || o.CA == "":
		return nil, errors.New(
			"--tls-cert, --tls-key and --tls-ca are required together; `phasegrid certs` makes all three files",
		)
	case o.Insecure:
		return nil, errors.New("--insecure and --tls-cert exclude each other; remove one of them")
	}
	id := &identity{cert: o.Cert, key: o.Key, ca: o.CA}
	if err := id.load(); err != nil {
		return nil, err
	}
	return id, nil
}

// Transport returns the credentials for one address to listen on or to dial, and whether both
// sides prove who they are (mutual TLS). Plain text is allowed on loopback or with Insecure.
func (o TLS) Transport(address string) (creds credentials.TransportCredentials, mutual bool, err error) {
	if address == "" {
		return nil, false, errors.New("the address is empty; want HOST:PORT")
	}
	id, err := o.identity()
	if err != nil {
		return nil, false, err
	}
	if id != nil {
		return reloading{id}, true, nil
	}
	if !o.Insecure && !Loopback(address) {
		return nil, false, fmt.Errorf(
			"%s is not on loopback and there is no certificate; "+
				"set --tls-cert, --tls-key and --tls-ca (`phasegrid certs` makes them), or --insecure for plain text",
			address,
		)
	}
	return insecure.NewCredentials(), false, nil
}

// CheckRole checks that the certificate, if there is one, has a role: a peer would refuse another
// only at the first call.
func (o TLS) CheckRole(want admission.Role) error {
	id, err := o.identity()
	if id == nil || err != nil {
		return err
	}
	certificate, _ := id.current()
	var roles []string
	for _, uri := range certificate.Leaf.URIs {
		if uri.String() == want.URI() {
			return nil
		}
		roles = append(roles, uri.String())
	}
	got := "without a role"
	if len(roles) > 0 {
		got = "with " + strings.Join(roles, ", ")
	}
	return fmt.Errorf("--tls-cert %s: got a certificate %s, want role %s; use the one of `phasegrid certs %s`",
		o.Cert, got, want.URI(), want)
}

// EtcdTransport returns the credentials for a client of etcd. The endpoints decide: https needs the
// certificate files, http beyond loopback needs Insecure.
func (o TLS) EtcdTransport(endpoints []string) (credentials.TransportCredentials, error) {
	id, err := o.identity()
	if err != nil {
		return nil, err
	}
	var creds credentials.TransportCredentials
	for _, endpoint := range endpoints {
		address, https := strings.CutPrefix(endpoint, "https://")
		next := insecure.NewCredentials()
		switch {
		case https && id == nil:
			return nil, fmt.Errorf("etcd at %s needs a certificate; set --tls-cert, --tls-key and --tls-ca", endpoint)
		case https:
			next = reloading{id}
		case !o.Insecure && !Loopback(strings.TrimPrefix(address, "http://")):
			return nil, fmt.Errorf(
				"etcd at %s is plain text beyond loopback; "+
					"use https:// with --tls-cert, --tls-key and --tls-ca, or set --insecure",
				endpoint,
			)
		}
		if creds != nil && creds.Info().SecurityProtocol != next.Info().SecurityProtocol {
			return nil, fmt.Errorf(
				"etcd endpoints %s mix http and https; use one of them", strings.Join(endpoints, ","),
			)
		}
		creds = next
	}
	return creds, nil
}

// Loopback reports whether an address to listen on or to dial cannot leave this machine: host:port,
// several of them with commas, or a target such as dns:///host:port or unix:path.
func Loopback(address string) bool {
	if several := strings.Split(address, ","); len(several) > 1 {
		return !slices.ContainsFunc(several, func(one string) bool { return !Loopback(one) })
	}
	if strings.HasPrefix(address, "unix:") {
		return true
	}
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest[strings.LastIndex(rest, "/")+1:]
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
