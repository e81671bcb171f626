package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
)

// identity is a certificate, its key and the authorities it trusts, read again when the files
// change. A pair that does not load, such as half of a rotation, is logged, and the last good one
// stays in use. It is safe for concurrent use: mu guards the fields below it, and the paths never
// change.
type identity struct {
	cert, key, ca string

	mu          sync.Mutex
	stamp       [3]fileStamp
	certificate *tls.Certificate
	authorities *x509.CertPool
}

// fileStamp distinguishes a file from a changed one.
type fileStamp struct {
	modified time.Time
	size     int64
}

func (id *identity) stamps() (stamp [3]fileStamp, err error) {
	for i, file := range []string{id.cert, id.key, id.ca} {
		info, err := os.Stat(file)
		if err != nil {
			return stamp, fmt.Errorf("read certificates: %w", err)
		}
		stamp[i] = fileStamp{info.ModTime(), info.Size()}
	}
	return stamp, nil
}

// load reads the files if they changed. The caller holds mu or is the only user.
func (id *identity) load() error {
	// The stamps are taken before the contents: a change in between is found the next time.
	stamp, err := id.stamps()
	if err != nil {
		return err
	}
	if id.certificate != nil && stamp == id.stamp {
		return nil
	}
	certificate, err := tls.LoadX509KeyPair(id.cert, id.key)
	if err != nil {
		return fmt.Errorf("load --tls-cert %s with --tls-key %s: %w", id.cert, id.key, err)
	}
	pem, err := os.ReadFile(id.ca)
	if err != nil {
		return fmt.Errorf("read --tls-ca: %w", err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(pem) {
		return fmt.Errorf("read --tls-ca %s: no PEM certificate in it", id.ca)
	}
	id.stamp, id.certificate, id.authorities = stamp, &certificate, authorities
	return nil
}

func (id *identity) current() (*tls.Certificate, *x509.CertPool) {
	id.mu.Lock()
	defer id.mu.Unlock()
	if err := id.load(); err != nil {
		slog.Warn("changed certificates not loaded; the previous ones stay in use", "error", err)
	}
	return id.certificate, id.authorities
}

// clientConfig returns the configuration of one handshake; the next one asks again.
func (id *identity) clientConfig() *tls.Config {
	certificate, authorities := id.current()
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{*certificate},
		RootCAs:      authorities,
	}
}

// serverConfig is clientConfig's counterpart, and requires a certificate of every peer.
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

// OverrideServerName is gRPC's old way to set the authority; grpc.WithAuthority replaces it.
func (r reloading) OverrideServerName(string) error {
	return errors.New("override server name: the target decides the name; use grpc.WithAuthority")
}
