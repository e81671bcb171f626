package admission

import (
	"fmt"
	"time"
)

const (
	// maxConnections bounds the connections of a process, whatever its number of descriptors: each
	// takes about 100 KiB.
	maxConnections = 4096
	// maxProbeConnections bounds those of the port for probes and metrics.
	maxProbeConnections = 64
	// reservedDescriptors are left for the files of etcd, the store and the spool, for readers, and
	// for connections to etcd and S3.
	reservedDescriptors = 160
	// peerShare is the default share of one peer address. A cluster may be behind one address.
	peerShare = 0.75

	// HandshakeTimeout bounds the time from an accepted connection to the end of its handshakes.
	HandshakeTimeout = 5 * time.Second
	// IdleTimeout bounds the time in which a connection has no call.
	IdleTimeout = time.Minute

	// maxStreams bounds the calls at once of a connection.
	maxStreams = 128
	// maxReceiving bounds the calls whose first message has not arrived. Each may have a window
	// full of bytes that are not read yet.
	maxReceiving = 1024
	// streamWindow is what may be sent on a stream before it is read: the least that gRPC allows.
	streamWindow = 64 << 10
	// connectionWindow is the same for a connection.
	connectionWindow = 4 << 20

	// SmallMessage is the largest message of methods that Sizes of a Gate does not list. Smaller
	// messages need no reservation.
	SmallMessage = 64 << 10
	// bodyMemory bounds the bytes of larger messages in memory, of all calls.
	bodyMemory = 32 << 20
	// pieceBytes is what is reserved and read at once, and pieceTimeout the time for that.
	pieceBytes   = 256 << 10
	pieceTimeout = 5 * time.Second
	// messageTimeout bounds the time for the whole of a message.
	messageTimeout = 30 * time.Second
)

// Limit is a row of the table of limits.
type Limit struct {
	What string // what is limited
	Most string
	Then string // what happens beyond
}

// Limits returns the limits of what peers may take, for the documentation.
func Limits() []Limit {
	mib := func(n int) string { return fmt.Sprintf("%d MiB", n>>20) }
	return []Limit{
		{
			"connections of a process",
			fmt.Sprintf("descriptors (`ulimit -n`) less %d, at most %d", reservedDescriptors, maxConnections),
			"the one that has been silent longest before its first call is closed; without one, the new one",
		},
		{
			"connections of one address",
			fmt.Sprintf("%.0f %% of these; `--peer-connections`", 100*peerShare),
			"the same, among those of the address",
		},
		{"connections for probes", fmt.Sprint(maxProbeConnections), "the same"},
		{"TLS and HTTP/2 handshakes", HandshakeTimeout.String(), "the connection is closed"},
		{"connection without a call", IdleTimeout.String(), "the connection is closed; clients open another"},
		{"calls at once of a connection", fmt.Sprint(maxStreams), "further calls wait at the client"},
		{"calls whose request has not arrived", fmt.Sprint(maxReceiving), "UNAVAILABLE; clients try again"},
		{"request", fmt.Sprintf("%d KiB", SmallMessage>>10), "RESOURCE_EXHAUSTED before it is read"},
		{
			"requests above that, together", mib(bodyMemory),
			"they wait, then RESOURCE_EXHAUSTED",
		},
		{
			"receiving a request",
			fmt.Sprintf("%v for each %d KiB, %v in all", pieceTimeout, pieceBytes>>10, messageTimeout),
			"DEADLINE_EXCEEDED",
		},
	}
}
