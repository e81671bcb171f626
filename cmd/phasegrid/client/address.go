package client

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"google.golang.org/grpc/credentials"
)

// Transport returns the credentials for the coordinators' address, and rejects a malformed one.
func (o Config) Transport() (credentials.TransportCredentials, error) {
	if err := CheckTarget("--coordinator", o.Coordinator); err != nil {
		return nil, err
	}
	creds, _, err := o.TLS.Transport(o.Coordinator)
	return creds, err
}

// CheckTarget checks the value of a flag that names addresses to dial: host:port, several with
// commas, or a gRPC target. A wrong one would only fail with each attempt to connect.
func CheckTarget(flag, target string) error {
	for address := range strings.SplitSeq(target, ",") {
		if strings.HasPrefix(address, "unix:") {
			continue
		}
		bare := address
		if scheme, rest, ok := strings.Cut(address, "://"); ok && (scheme == "dns" || scheme == "passthrough") {
			bare = rest[strings.LastIndex(rest, "/")+1:]
		} else {
			bare = strings.TrimPrefix(bare, "dns:")
		}
		host, port, err := net.SplitHostPort(bare)
		if err != nil || host == "" || strings.ContainsAny(host, "/ ") || !isPort(port, 1) {
			return fmt.Errorf("%s: got %q, want host:port", flag, address)
		}
	}
	return nil
}

// CheckListen checks the value of a flag that names an address to listen on. An empty host is all
// addresses of the machine, port 0 any free port.
func CheckListen(flag, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || strings.ContainsAny(host, "/ ") || !isPort(port, 0) {
		return fmt.Errorf("%s: got %q, want host:port", flag, address)
	}
	return nil
}

func isPort(text string, least uint64) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port >= least
}
