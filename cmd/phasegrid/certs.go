package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

type certsOptions struct {
	Out        string
	Namespace  string
	Names      []string
	Days       int
	Kubernetes bool
	Roles      []string
	stdout     io.Writer
}

func (m Main) certsCommand() *cobra.Command {
	o := certsOptions{stdout: m.Stdout}
	cmd := &cobra.Command{
		Use:   "certs [ROLE...]",
		Short: "Create a certificate authority and certificates for mutual TLS",
		Long: `certs creates what mutual TLS needs in one folder: an authority (ca.crt, ca.key) and, for each
role, a certificate and its key (node.crt, node.key, ...). An existing authority is used again, so
certificates can be added or renewed.

The roles are client, coordinator, etcd and node. The role in a certificate decides which service
its holder may call: a client submits and reads, a node takes and delivers work, a coordinator
serves. etcd is for members of an etcd cluster.

Without --name, the certificates of servers are valid for loopback and for the names of the
Kubernetes services only.`,
		Example: `  phasegrid certs --out certs --name coordinator.example.org
  phasegrid certs --out certs client --days 30
  phasegrid certs --out certs --kubernetes | kubectl apply -f -`,
		ValidArgs: client.CertRoles(),
		Args:      cobra.OnlyValidArgs,
		RunE: func(cmd *cobra.Command, roles []string) error {
			o.Roles = roles
			return runCerts(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Out, "out", "certs", "`directory` for the files")
	flags.StringVar(&o.Namespace, "namespace", "phasegrid", "Kubernetes `namespace` of the services and Secrets")
	flags.StringSliceVar(&o.Names, "name", nil, "additional DNS `name` or IP address of the servers; repeatable")
	flags.IntVar(&o.Days, "days", 365, "validity of the certificates in `days`")
	flags.BoolVar(&o.Kubernetes, "kubernetes", false, "print the certificates as Kubernetes Secrets, too")
	return cmd
}

// hostName matches DNS names; the first label may be a wildcard.
var hostName = regexp.MustCompile(`^(\*\.)?\w([\w-]*\w)?(\.\w([\w-]*\w)?)*$`)

// runCerts writes the files and prints their paths or, with Kubernetes, Secrets named
// phasegrid-ROLE-tls with the keys that cert-manager uses.
func runCerts(_ context.Context, o certsOptions) error {
	if o.Days < 1 || o.Days > 3650 {
		return usageError{fmt.Errorf("--days: got %d, want 1..3650", o.Days)}
	}
	for _, name := range o.Names {
		if net.ParseIP(name) == nil && !hostName.MatchString(name) {
			return usageError{fmt.Errorf("--name: got %q, want a DNS name or an IP address", name)}
		}
	}
	if len(o.Roles) == 0 {
		o.Roles = client.CertRoles()
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return fmt.Errorf("create the directory for certificates: %w", err)
	}
	ca, err := client.OpenAuthority(o.Out)
	if err != nil {
		return err
	}
	for _, role := range o.Roles {
		pair, err := ca.Issue(client.Certificate{Role: role, Namespace: o.Namespace, Names: o.Names, Days: o.Days})
		if err != nil {
			return fmt.Errorf("create the certificate of role %s: %w", role, err)
		}
		if err := pair.Write(o.Out, role); err != nil {
			return err
		}
		if o.Kubernetes {
			err = printSecret(o.stdout, role, o.Namespace, pair, ca.CertificatePEM())
		} else {
			_, err = fmt.Fprintln(o.stdout, filepath.Join(o.Out, role+".crt"))
		}
		if err != nil {
			return fmt.Errorf("print the certificate of role %s: %w", role, err)
		}
	}
	return nil
}

// printSecret prints one YAML document of kind Secret.
func printSecret(w io.Writer, role, namespace string, pair client.KeyPair, ca []byte) error {
	encode := base64.StdEncoding.EncodeToString
	_, err := fmt.Fprintf(w, `---
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
`, role, namespace, encode(ca), encode(pair.CertificatePEM), encode(pair.KeyPEM))
	return err
}
