// Package coordtest has what tests and benchmarks of a coordinator share: an etcd server, a node
// that solves nothing, and a sender of deliveries. It knows the coordinator by its wire only.
package coordtest
