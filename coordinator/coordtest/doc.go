// Package coordtest has what tests and benchmarks of a coordinator share: an etcd server, a node
// that solves nothing, a sender of deliveries, and a relay that disturbs connections. It knows the
// coordinator by its wire only.
package coordtest
