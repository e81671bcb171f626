package node

import (
	"math/rand/v2"
	"time"
)

// worrisomeFailures in a row, about ten seconds of them, are worth a warning, and so are as many
// more.
const worrisomeFailures = 20

// lasting is how long a session goes on at least to prove that there was nothing wrong with the one
// before.
const lasting = 10 * time.Second

const (
	backOffBase = 100 * time.Millisecond
	// backOffMax is short: an attempt while no coordinator leads does not even reach the network,
	// and failover waits for it.
	backOffMax = 500 * time.Millisecond
	// backOffRefused is for an answer that would be the same again.
	backOffRefused = 5 * time.Second
)

// backOff is the wait before attempt+1: exponential, the second half of it random, so that nodes do
// not come together.
func backOff(attempt int, err error) time.Duration {
	longest := backOffMax
	if permanent(err) {
		longest = backOffRefused
	}
	d := min(backOffBase<<min(attempt-1, 16), longest)
	return d/2 + rand.N(d/2+1)
}
