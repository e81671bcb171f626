package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/phasegrid/phasegrid/coordinator/admission"
)

func makeCerts(t *testing.T, folder string, roles ...string) {
	t.Helper()
	if len(roles) == 0 {
		roles = CertRoles()
	}
	for _, role := range roles {
		issue(t, folder, Certificate{Role: role, Namespace: "phasegrid", Days: 1})
	}
}

// issue writes one certificate of the folder's authority.
func issue(t *testing.T, folder string, c Certificate) {
	t.Helper()
	ca, err := OpenAuthority(folder)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Issue(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := pair.Write(folder, c.Role); err != nil {
		t.Fatal(err)
	}
}

func optionsFor(folder, role string) TLS {
	return TLS{
		Cert: filepath.Join(folder, role+".crt"),
		Key:  filepath.Join(folder, role+".key"),
		CA:   filepath.Join(folder, "ca.crt"),
	}
}

// serveHealth runs a server with the role's certificate until the test ends.
func serveHealth(t *testing.T, o TLS) (address string) {
	t.Helper()
	creds, mutual, err := o.Transport("127.0.0.1:0")
	if err != nil || !mutual {
		t.Fatalf("transport: mutual %t, %v", mutual, err)
	}
	gate := admission.NewGate(true, time.Minute, nil)
	server := grpc.NewServer(append(gate.Options(), grpc.Creds(creds))...)
	services := admission.Registrar{Server: server, Timeout: func(string) time.Duration { return time.Minute }}
	healthpb.RegisterHealthServer(services, health.NewServer())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	return listener.Addr().String()
}

func checkHealth(t *testing.T, address string, creds credentials.TransportCredentials) error {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	return err
}

func clientCreds(t *testing.T, o TLS) credentials.TransportCredentials {
	t.Helper()
	creds, _, err := o.Transport("coordinator.example:7443")
	if err != nil {
		t.Fatal(err)
	}
	return creds
}

func TestMutualTLS(t *testing.T) {
	ours, others := t.TempDir(), t.TempDir()
	makeCerts(t, ours)
	makeCerts(t, others)
	address := serveHealth(t, optionsFor(ours, "coordinator"))

	strange := optionsFor(others, "client")
	strange.CA = filepath.Join(ours, "ca.crt")
	onlyCA, err := credentials.NewClientTLSFromFile(filepath.Join(ours, "ca.crt"), "")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		creds credentials.TransportCredentials
		want  codes.Code
	}{
		{"client", clientCreds(t, optionsFor(ours, "client")), codes.OK},
		{"node", clientCreds(t, optionsFor(ours, "node")), codes.OK},
		{"etcd's certificate has no role", clientCreds(t, optionsFor(ours, "etcd")), codes.PermissionDenied},
		{"client of another authority", clientCreds(t, strange), codes.Unavailable},
		{"client that trusts another authority", clientCreds(t, optionsFor(others, "client")), codes.Unavailable},
		{"no certificate", onlyCA, codes.Unavailable},
		{"plain text", insecure.NewCredentials(), codes.Unavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := checkHealth(t, address, test.creds); status.Code(err) != test.want {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestANodeCertificateCannotServe(t *testing.T) {
	folder := t.TempDir()
	makeCerts(t, folder)
	address := serveHealth(t, optionsFor(folder, "node"))
	if err := checkHealth(t, address, clientCreds(t, optionsFor(folder, "client"))); status.Code(
		err,
	) != codes.Unavailable {
		t.Errorf("got %v, want Unavailable", err)
	}
}

func TestChangedFilesAreReadAgain(t *testing.T) {
	folder, next := t.TempDir(), t.TempDir()
	makeCerts(t, folder)
	makeCerts(t, next)
	address := serveHealth(t, optionsFor(folder, "coordinator"))
	creds := clientCreds(t, optionsFor(folder, "client"))
	if err := checkHealth(t, address, creds); err != nil {
		t.Fatal(err)
	}

	// Half of a rotation: the certificate without its key. The old pair stays in use.
	copyFile(t, filepath.Join(next, "coordinator.crt"), filepath.Join(folder, "coordinator.crt"))
	if err := checkHealth(t, address, creds); err != nil {
		t.Fatalf("half-way through a rotation: %v", err)
	}
	for _, name := range []string{"coordinator.key", "ca.crt", "client.crt", "client.key"} {
		copyFile(t, filepath.Join(next, name), filepath.Join(folder, name))
	}
	if err := checkHealth(t, address, clientCreds(t, optionsFor(next, "client"))); err != nil {
		t.Errorf("a client of the new authority: %v", err)
	}
	if err := checkHealth(t, address, creds); err != nil {
		t.Errorf("the first client, whose files were replaced: %v", err)
	}
}

// copyFile replaces a file whole and gives it a later time, as a rotation does.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(to, later, later); err != nil {
		t.Fatal(err)
	}
}

func TestPlainTextIsForLoopback(t *testing.T) {
	tests := []struct {
		address string
		ok      bool
	}{
		{"127.0.0.1:7443", true},
		{"[::1]:7443", true},
		{"localhost:7443", true},
		{"dns:///localhost:7443", true},
		{"passthrough:///127.0.0.1:7443", true},
		{"unix:/run/phasegrid.sock", true},
		{"127.0.0.1:7443,localhost:7444", true},
		{"127.0.0.1:7443,10.0.0.7:7443", false},
		{"unix:///run/phasegrid.sock", true},
		{":7443", false},
		{"0.0.0.0:7443", false},
		{"[::]:7443", false},
		{"10.0.0.7:7443", false},
		{"localhost.example.org:7443", false},
		{"dns:///phasegrid-coordinator.phasegrid.svc:7443", false},
		{"dns://127.0.0.1/phasegrid-coordinator:7443", false},
	}
	for _, test := range tests {
		if _, _, err := (TLS{}).Transport(test.address); (err == nil) != test.ok {
			t.Errorf("%s: got %v, allowed should be %t", test.address, err, test.ok)
		}
		if _, _, err := (TLS{Insecure: true}).Transport(test.address); err != nil {
			t.Errorf("%s with --insecure: %v", test.address, err)
		}
	}
}

func TestEtcdEndpointsDecideTheirTransport(t *testing.T) {
	folder := t.TempDir()
	makeCerts(t, folder)
	secure := optionsFor(folder, "coordinator")
	tests := []struct {
		name      string
		options   TLS
		endpoints string
		want      string // protocol, or part of the error
	}{
		{"loopback", TLS{}, "http://127.0.0.1:2379", "insecure"},
		{"loopback without a scheme", TLS{}, "127.0.0.1:2379", "insecure"},
		{"plain text elsewhere", TLS{}, "http://etcd:2379", "--insecure"},
		{"plain text elsewhere, asked for", TLS{Insecure: true}, "http://etcd:2379", "insecure"},
		{"https", secure, "https://etcd-0:2379,https://etcd-1:2379", "tls"},
		{"https without files", TLS{}, "https://etcd:2379", "--tls-cert"},
		{"mixed", secure, "https://etcd:2379,http://127.0.0.1:2379", "mix"},
	}
	for _, test := range tests {
		creds, err := test.options.EtcdTransport(strings.Split(test.endpoints, ","))
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = creds.Info().SecurityProtocol
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestWrongTLSFlagsAreErrors(t *testing.T) {
	folder := t.TempDir()
	makeCerts(t, folder)
	good := optionsFor(folder, "client")
	tests := map[string]struct {
		change func(*TLS)
		want   string
	}{
		"no key":         {func(o *TLS) { o.Key = "" }, "required together"},
		"with insecure":  {func(o *TLS) { o.Insecure = true }, "exclude each other"},
		"missing file":   {func(o *TLS) { o.CA += "x" }, "no such file"},
		"key of another": {func(o *TLS) { o.Key = filepath.Join(folder, "node.key") }, "does not match"},
		"CA is a key":    {func(o *TLS) { o.CA = o.Key }, "no PEM certificate"},
	}
	for name, test := range tests {
		o := good
		test.change(&o)
		if _, _, err := o.Transport("127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, test.want)
		}
	}
}

func TestCertsKeepsItsAuthority(t *testing.T) {
	folder := t.TempDir()
	makeCerts(t, folder, "client")
	before, err := os.ReadFile(filepath.Join(folder, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	makeCerts(t, folder, "node")
	after, err := os.ReadFile(filepath.Join(folder, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Error("a second call made a new authority")
	}
	if err := os.Remove(filepath.Join(folder, "ca.key")); err != nil {
		t.Fatal(err)
	}
	_, err = OpenAuthority(folder)
	if err == nil || !strings.Contains(err.Error(), "only ca.crt is there") {
		t.Errorf("with the authority's key lost: got %v", err)
	}
	info, err := os.Stat(filepath.Join(folder, "client.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("client.key: mode %v, %v", info.Mode(), err)
	}
}

func TestCertificatesNameWhatTheyAreFor(t *testing.T) {
	folder := t.TempDir()
	for _, role := range CertRoles() {
		names := []string{"grid.example.org", "192.0.2.7"}
		issue(t, folder, Certificate{Role: role, Namespace: "sweeps", Names: names, Days: 1})
	}
	read := func(role string) *x509.Certificate {
		pair, err := tls.LoadX509KeyPair(filepath.Join(folder, role+".crt"), filepath.Join(folder, role+".key"))
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf
	}
	for _, name := range []string{
		"phasegrid", "phasegrid-coordinator.sweeps.svc",
		"phasegrid-coordinator-0.phasegrid-coordinator.sweeps.svc.cluster.local",
		"localhost", "127.0.0.1", "grid.example.org", "192.0.2.7",
	} {
		if err := read("coordinator").VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if err := read("etcd").VerifyHostname("phasegrid-etcd-2.phasegrid-etcd.sweeps.svc"); err != nil {
		t.Error(err)
	}
	for _, role := range []string{"client", "node", "coordinator"} {
		if uris := read(role).URIs; len(uris) != 1 || uris[0].String() != admission.Role(role).URI() {
			t.Errorf("%s: URIs %v", role, uris)
		}
	}
	if uris := read("etcd").URIs; len(uris) != 0 {
		t.Errorf("etcd: URIs %v", uris)
	}
}
