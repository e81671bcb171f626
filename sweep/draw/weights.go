package draw

import "sort"

// Weights draws entries of a list, each as often as its weight says. Entry i stands for the
// integers below Weights[i], less those of the entries before it.
type Weights []uint64

// NewWeights takes the weight of each entry, positive integers with a sum below 2^64.
func NewWeights(weights []uint64) Weights {
	sums, sum := make(Weights, len(weights)), uint64(0)
	for i, w := range weights {
		sum += w
		sums[i] = sum
	}
	return sums
}

// Index is the entry of u.
func (w Weights) Index(u Uniform) int {
	at := u.Below(w[len(w)-1])
	return sort.Search(len(w), func(i int) bool { return at < w[i] })
}
