package solver

// arena hands out zeroed vectors that live as long as one point, from memory that is kept for the next one.
type arena struct {
	block  []float64
	used   int
	needed int // by this point so far; the next point gets one block of that size
}

// reset takes all vectors back.
func (a *arena) reset() {
	if a.needed > len(a.block) {
		a.block = make([]float64, a.needed)
	}
	a.used, a.needed = 0, 0
}

// take returns n zeros.
func (a *arena) take(n int) []float64 {
	a.needed += n
	if n > len(a.block)-a.used {
		return make([]float64, n)
	}
	v := a.block[a.used : a.used+n : a.used+n]
	a.used += n
	clear(v)
	return v
}
