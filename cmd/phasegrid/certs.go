package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/coordinator"
)

type certsOptions struct {
	Out        string
	Namespace  string
	Names      []string
	Days       int
	Kubernetes bool
	Roles      []string
}

// certRoles are the certificates that can be made, in the order they are made.
func certRoles() []string { return []string{"client", "coordinator", "etcd", "node"} }

func certsCommand() *cobra.Command {
	var o certsOptions
	command := &cobra.Command{
		Use:   "certs [ROLE...]",
		Short: "Make a certificate authority and certificates for the roles client, coordinator, etcd and node",
		Long: `certs makes what mutual TLS needs: an authority (ca.crt, ca.key) and for each role a
certificate and its key (node.crt, node.key, ...), in one folder. The authority is
made once and used again, so that further or renewed certificates can follow.

The role stands in the certificate and decides which service its holder may call:
client submits and reads, node takes and delivers work, coordinator serves. etcd is
for the members of an etcd cluster.`,
		Example: `  phasegrid certs --out certs
  phasegrid certs --out certs client --days 30
  phasegrid certs --out certs --kubernetes | kubectl apply -f -`,
		ValidArgs: certRoles(),
		Args:      cobra.OnlyValidArgs,
		RunE: func(command *cobra.Command, roles []string) error {
			o.Roles = roles
			return runCerts(command.Context(), o, command.OutOrStdout())
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.Out, "out", "certs", "`folder` for the files")
	flags.StringVar(&o.Namespace, "namespace", "phasegrid", "Kubernetes `namespace` of the services and Secrets")
	flags.StringSliceVar(&o.Names, "name", nil, "further DNS `name` or IP address of the servers; may be repeated")
	flags.IntVar(&o.Days, "days", 365, "how many `days` the certificates are valid")
	flags.BoolVar(&o.Kubernetes, "kubernetes", false, "also print them as Kubernetes Secrets")
	return command
}

// runCerts writes the files and prints their paths or, with Kubernetes, Secrets
// named phasegrid-ROLE-tls with the keys that cert-manager uses.
func runCerts(_ context.Context, o certsOptions, out io.Writer) error {
	if o.Days < 1 || o.Days > 3650 {
		return fmt.Errorf("--days %d: must be between 1 and 3650", o.Days)
	}
	if len(o.Roles) == 0 {
		o.Roles = certRoles()
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return fmt.Errorf("making the folder for certificates: %w", err)
	}
	ca, err := openAuthority(o.Out)
	if err != nil {
		return err
	}
	for _, role := range o.Roles {
		leaf, err := ca.issue(role, o)
		if err != nil {
			return fmt.Errorf("making the certificate for %s: %w", role, err)
		}
		if err := leaf.write(o.Out, role); err != nil {
			return err
		}
		if o.Kubernetes {
			err = leaf.printSecret(out, role, o.Namespace, ca.certificatePEM)
		} else {
			_, err = fmt.Fprintln(out, filepath.Join(o.Out, role+".crt"))
		}
		if err != nil {
			return fmt.Errorf("printing the certificate for %s: %w", role, err)
		}
	}
	return nil
}

// keyPair is a certificate with its key, as PEM.
type keyPair struct{ certificatePEM, keyPEM []byte }

// authority signs certificates; it is the pair ca.crt, ca.key of a folder.
type authority struct {
	keyPair
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// openAuthority reads the folder's authority, or makes it where there is none.
func openAuthority(folder string) (*authority, error) {
	certificate, key := filepath.Join(folder, "ca.crt"), filepath.Join(folder, "ca.key")
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if errors.Is(err, fs.ErrNotExist) {
		return newAuthority(folder)
	}
	if err != nil {
		return nil, fmt.Errorf(
			"loading the authority %s with %s: %w; remove both to start with a new one",
			certificate,
			key,
			err,
		)
	}
	private, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, fmt.Errorf(
			"%s is no authority of `phasegrid certs`: remove it and ca.key, or choose another --out",
			certificate,
		)
	}
	return &authority{
		keyPair:     keyPair{certificatePEM: encodePEM("CERTIFICATE", pair.Certificate[0])},
		certificate: pair.Leaf,
		key:         private,
	}, nil
}

// newAuthority refuses a folder that has one of the two files: the other is
// lost, and a new authority would make every certificate out there worthless.
func newAuthority(folder string) (*authority, error) {
	for _, name := range []string{"ca.crt", "ca.key"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return nil, fmt.Errorf(
				"%s has %s but not its other half: restore it, or remove this one to start with a new authority",
				folder,
				name,
			)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the authority's key: %w", err)
	}
	template, err := newTemplate("phasegrid CA", 3650)
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("signing the authority: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading the new authority back: %w", err)
	}
	pair, err := encodePair(der, key)
	if err != nil {
		return nil, err
	}
	return &authority{keyPair: pair, certificate: certificate, key: key}, pair.write(folder, "ca")
}

// issue makes one role's certificate. Only coordinators and etcd may serve, so
// a stolen node or client certificate cannot pose as a server.
func (a *authority) issue(role string, o certsOptions) (keyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keyPair{}, err
	}
	template, err := newTemplate("phasegrid "+role, o.Days)
	if err != nil {
		return keyPair{}, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	switch role {
	case "coordinator":
		serve(template, append(serviceNames(o.Namespace, "phasegrid", "phasegrid-coordinator"), o.Names...))
	case "etcd":
		serve(template, append(serviceNames(o.Namespace, "phasegrid-etcd"), o.Names...))
	}
	if role != "etcd" {
		uri, err := url.Parse(coordinator.Role(role).URI())
		if err != nil {
			return keyPair{}, err
		}
		template.URIs = []*url.URL{uri}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return keyPair{}, err
	}
	return encodePair(der, key)
}

// serve lets a certificate stand for servers of these names and addresses, and
// of loopback.
func serve(template *x509.Certificate, names []string) {
	template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	for _, name := range append(names, "localhost", "127.0.0.1", "::1") {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
}

// serviceNames are the names of Kubernetes services and of the pods behind them.
func serviceNames(namespace string, services ...string) []string {
	var names []string
	for _, service := range services {
		local := service + "." + namespace + ".svc"
		names = append(names, local, service, service+"."+namespace, local+".cluster.local",
			"*."+service, "*."+service+"."+namespace, "*."+local, "*."+local+".cluster.local")
	}
	return names
}

func newTemplate(name string, days int) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("making a serial number: %w", err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}}
	// Clocks differ between machines: valid from a little before now.
	template.NotBefore = time.Now().Add(-10 * time.Minute)
	template.NotAfter = template.NotBefore.AddDate(0, 0, days)
	return template, nil
}

func encodePair(certificate []byte, key *ecdsa.PrivateKey) (keyPair, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return keyPair{}, fmt.Errorf("encoding a key: %w", err)
	}
	return keyPair{certificatePEM: encodePEM("CERTIFICATE", certificate), keyPEM: encodePEM("PRIVATE KEY", der)}, nil
}

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// write puts name.crt and name.key into the folder, each complete or not there.
func (p keyPair) write(folder, name string) error {
	return errors.Join(
		replaceFile(filepath.Join(folder, name+".key"), p.keyPEM, 0o600),
		replaceFile(filepath.Join(folder, name+".crt"), p.certificatePEM, 0o644))
}

func replaceFile(path string, data []byte, mode os.FileMode) error {
	temporary := path + ".tmp"
	if err := os.WriteFile(temporary, data, mode); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// printSecret prints one YAML document of kind Secret.
func (p keyPair) printSecret(out io.Writer, role, namespace string, ca []byte) error {
	encode := base64.StdEncoding.EncodeToString
	_, err := fmt.Fprintf(out, `---
apiVersion: v1
kind: Secret
metadata:
  name: phasegrid-%s-tls
  namespace: %s
  labels:
    app.kubernetes.io/name: phasegrid
type: kubernetes.io/tls
data:
  ca.crt: %s
  tls.crt: %s
  tls.key: %s
`, role, namespace, encode(ca), encode(p.certificatePEM), encode(p.keyPEM))
	return err
}
