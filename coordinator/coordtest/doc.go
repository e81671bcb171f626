// Package coordtest has what tests and benchmarks of a coordinator share: an etcd server, a node
// that solves nothing, a sender of deliveries, and a relay that disturbs connections. It speaks to
// a coordinator over the wire only.
package coordtest
