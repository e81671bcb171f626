// Package bench measures a cluster on this machine.
package bench
