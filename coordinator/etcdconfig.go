package coordinator

import "crypto/tls"

// Etcd names an etcd cluster.
type Etcd struct {
	Endpoints []string
	TLS       *tls.Config // nil: plain text
}
