package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/admission"
)

// authorityDays is how long an authority is valid; its certificates must not outlive it.
const authorityDays = 3650

// CertRoles are the roles that an authority issues certificates for, in the order in which commands
// make them.
func CertRoles() []string { return []string{"client", "coordinator", "etcd", "node"} }

// KeyPair is a certificate with its key, as PEM.
type KeyPair struct{ CertificatePEM, KeyPEM []byte }

// Authority issues certificates. It is the pair ca.crt and ca.key of a folder.
type Authority struct {
	pair        KeyPair
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Certificate describes a certificate to issue.
type Certificate struct {
	Role      string   // one of CertRoles
	Namespace string   // of the Kubernetes services of servers
	Names     []string // further DNS names and addresses of servers
	Days      int      // of validity, at most 3650
}

// OpenAuthority reads the folder's authority, or makes one if there is none.
func OpenAuthority(folder string) (*Authority, error) {
	certificate, key := filepath.Join(folder, "ca.crt"), filepath.Join(folder, "ca.key")
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if errors.Is(err, fs.ErrNotExist) {
		return newAuthority(folder)
	}
	if err != nil {
		return nil, fmt.Errorf(
			"load the authority %s with %s: %w; remove both to make a new one", certificate, key, err,
		)
	}
	private, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, fmt.Errorf(
			"load the authority %s: not made by `phasegrid certs`; remove it and ca.key, or choose another --out",
			certificate,
		)
	}
	return &Authority{
		pair:        KeyPair{CertificatePEM: encodePEM("CERTIFICATE", pair.Certificate[0])},
		certificate: pair.Leaf,
		key:         private,
	}, nil
}

// newAuthority rejects a folder with only one of the two files: a new authority would invalidate
// every certificate that the old one has issued.
func newAuthority(folder string) (*Authority, error) {
	for _, name := range []string{"ca.crt", "ca.key"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return nil, fmt.Errorf(
				"load the authority in %s: only %s is there; "+
					"restore the other file, or remove this one to make a new authority",
				folder,
				name,
			)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the authority's key: %w", err)
	}
	template, err := newTemplate("phasegrid CA", authorityDays)
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign the authority: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back the new authority: %w", err)
	}
	pair, err := encodePair(der, key)
	if err != nil {
		return nil, err
	}
	return &Authority{pair: pair, certificate: certificate, key: key}, pair.Write(folder, "ca")
}

// CertificatePEM returns the authority's own certificate.
func (a *Authority) CertificatePEM() []byte { return a.pair.CertificatePEM }

// Issue makes a certificate. Only coordinators and etcd may serve, so that a stolen node or client
// certificate cannot pose as a server.
func (a *Authority) Issue(c Certificate) (KeyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return KeyPair{}, err
	}
	template, err := newTemplate("phasegrid "+c.Role, c.Days)
	if err != nil {
		return KeyPair{}, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	switch c.Role {
	case "coordinator":
		allowServing(template, append(serviceNames(c.Namespace, "phasegrid", "phasegrid-coordinator"), c.Names...))
	case "etcd":
		allowServing(template, append(serviceNames(c.Namespace, "phasegrid-etcd"), c.Names...))
	}
	if c.Role != "etcd" {
		uri, err := url.Parse(admission.Role(c.Role).URI())
		if err != nil {
			return KeyPair{}, err
		}
		template.URIs = []*url.URL{uri}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return KeyPair{}, err
	}
	return encodePair(der, key)
}

// allowServing makes a certificate valid for servers of these names and addresses, and of loopback.
func allowServing(template *x509.Certificate, names []string) {
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
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}}
	// The clocks of machines differ: valid from a little before now.
	template.NotBefore = time.Now().Add(-10 * time.Minute)
	template.NotAfter = template.NotBefore.AddDate(0, 0, days)
	return template, nil
}

func encodePair(certificate []byte, key *ecdsa.PrivateKey) (KeyPair, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return KeyPair{}, fmt.Errorf("encode a key: %w", err)
	}
	return KeyPair{CertificatePEM: encodePEM("CERTIFICATE", certificate), KeyPEM: encodePEM("PRIVATE KEY", der)}, nil
}

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// Write puts name.crt and name.key into the folder, each of them whole or not at all.
func (p KeyPair) Write(folder, name string) error {
	return errors.Join(
		replaceFile(filepath.Join(folder, name+".key"), p.KeyPEM, 0o600),
		replaceFile(filepath.Join(folder, name+".crt"), p.CertificatePEM, 0o644))
}

func replaceFile(path string, data []byte, mode os.FileMode) error {
	temporary := path + ".tmp"
	if err := os.WriteFile(temporary, data, mode); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
