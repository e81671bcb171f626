package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// tlsOptions are the flags of every command that opens or dials a gRPC port.
type tlsOptions struct {
	Cert, Key, CA string
	Insecure      bool
}

func (o *tlsOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Cert, "tls-cert", "", "certificate `file` (PEM) of this process; its role says what it may call")
	flags.StringVar(&o.Key, "tls-key", "", "private key `file` (PEM) of --tls-cert")
	flags.StringVar(&o.CA, "tls-ca", "", "`file` (PEM) with the authorities that peers' certificates must come from")
	flags.BoolVar(&o.Insecure, "insecure", false, "allow plain text beyond loopback")
}

// identity returns nil where no certificate is asked for. It reads the files,
// so that a wrong one is an error at start and not at the first handshake.
func (o tlsOptions) identity() (*identity, error) {
	switch {
	case o.Cert == "" && o.Key == "" && o.CA == "":
		return nil, nil
	case o.Cert == "" || o.Key == "" || o.CA == "":
		return nil, errors.New(
			"--tls-cert, --tls-key and --tls-ca belong together: give all three (`phasegrid certs` makes them)",
		)
	case o.Insecure:
		return nil, errors.New("--insecure and --tls-cert exclude each other: leave one out")
	}
	id := &identity{cert: o.Cert, key: o.Key, ca: o.CA}
	if err := id.load(); err != nil {
		return nil, err
	}
	return id, nil
}

// transport gives the credentials for one address to listen on or to dial, and
// whether peers prove who they are (mutual TLS). Plain text is for loopback and
// for --insecure.
func (o tlsOptions) transport(address string) (creds credentials.TransportCredentials, mutual bool, err error) {
	if address == "" {
		return nil, false, errors.New("an address is empty: give HOST:PORT")
	}
	id, err := o.identity()
	if err != nil {
		return nil, false, err
	}
	if id != nil {
		return reloading{id}, true, nil
	}
	if !o.Insecure && !loopback(address) {
		return nil, false, fmt.Errorf(
			"%s is not on this machine's loopback and there is no certificate: give --tls-cert, --tls-key and --tls-ca (`phasegrid certs` makes them), or --insecure for plain text",
			address,
		)
	}
	return insecure.NewCredentials(), false, nil
}

// etcd gives the credentials for etcd's client. The endpoints decide: https needs
// the certificate files, http beyond loopback needs --insecure.
func (o tlsOptions) etcd(endpoints []string) (credentials.TransportCredentials, error) {
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
			return nil, fmt.Errorf("etcd at %s needs a certificate: give --tls-cert, --tls-key and --tls-ca", endpoint)
		case https:
			next = reloading{id}
		case !o.Insecure && !loopback(strings.TrimPrefix(address, "http://")):
			return nil, fmt.Errorf(
				"etcd at %s would be plain text beyond loopback: use https:// with --tls-cert, --tls-key and --tls-ca, or --insecure",
				endpoint,
			)
		}
		if creds != nil && creds.Info().SecurityProtocol != next.Info().SecurityProtocol {
			return nil, fmt.Errorf(
				"etcd endpoints %s mix http and https: use one of them",
				strings.Join(endpoints, ","),
			)
		}
		creds = next
	}
	return creds, nil
}

// loopback tells whether a listen address or dial target (host:port, several of
// them with commas, or a target such as dns:///host:port or unix:path) cannot
// leave this machine.
func loopback(address string) bool {
	if several := strings.Split(address, ","); len(several) > 1 {
		return !slices.ContainsFunc(several, func(one string) bool { return !loopback(one) })
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

// identity is a certificate, its key and the authorities it trusts, read again
// when the files change. A pair that does not load (a rotation caught half-way)
// is logged and the last good one kept.
//
// The mutex guards the fields below it; the paths never change.
type identity struct {
	cert, key, ca string

	mu          sync.Mutex
	stamp       [3]fileStamp
	certificate *tls.Certificate
	authorities *x509.CertPool
}

type fileStamp struct {
	modified time.Time
	size     int64
}

func (id *identity) stamps() (stamp [3]fileStamp, err error) {
	for i, file := range []string{id.cert, id.key, id.ca} {
		info, err := os.Stat(file)
		if err != nil {
			return stamp, fmt.Errorf("reading certificates: %w", err)
		}
		stamp[i] = fileStamp{info.ModTime(), info.Size()}
	}
	return stamp, nil
}

// load reads the files if they changed. The caller holds mu or is alone.
func (id *identity) load() error {
	// Stamps come before contents: a change in between is seen next time.
	stamp, err := id.stamps()
	if err != nil {
		return err
	}
	if id.certificate != nil && stamp == id.stamp {
		return nil
	}
	certificate, err := tls.LoadX509KeyPair(id.cert, id.key)
	if err != nil {
		return fmt.Errorf("loading --tls-cert %s with --tls-key %s: %w", id.cert, id.key, err)
	}
	pem, err := os.ReadFile(id.ca)
	if err != nil {
		return fmt.Errorf("reading --tls-ca: %w", err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(pem) {
		return fmt.Errorf("--tls-ca %s holds no PEM certificate", id.ca)
	}
	id.stamp, id.certificate, id.authorities = stamp, &certificate, authorities
	return nil
}

func (id *identity) current() (*tls.Certificate, *x509.CertPool) {
	id.mu.Lock()
	defer id.mu.Unlock()
	if err := id.load(); err != nil {
		slog.Warn("certificates changed but do not load; the last ones stay in use", "error", err)
	}
	return id.certificate, id.authorities
}

// clientConfig and serverConfig hold for one handshake: the next one asks again.
func (id *identity) clientConfig() *tls.Config {
	certificate, authorities := id.current()
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{*certificate},
		RootCAs:      authorities,
	}
}

// serverConfig asks every peer for a certificate.
func (id *identity) serverConfig() *tls.Config {
	certificate, authorities := id.current()
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{*certificate},
		ClientCAs:    authorities,
		ClientAuth:   tls.RequireAndVerifyClientCert,
	}
}

// reloading is gRPC's TLS with the identity as it is at each handshake.
type reloading struct{ id *identity }

var _ credentials.TransportCredentials = reloading{}

func (r reloading) ClientHandshake(
	ctx context.Context,
	authority string,
	conn net.Conn,
) (net.Conn, credentials.AuthInfo, error) {
	return credentials.NewTLS(r.id.clientConfig()).ClientHandshake(ctx, authority, conn)
}

func (r reloading) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return credentials.NewTLS(r.id.serverConfig()).ServerHandshake(conn)
}

func (r reloading) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

func (r reloading) Clone() credentials.TransportCredentials { return r }

// OverrideServerName is gRPC's old way to set the authority; grpc.WithAuthority is the present one.
func (r reloading) OverrideServerName(string) error {
	return errors.New("the server's name comes from the target: use grpc.WithAuthority")
}
