package simd

// Available lists the kernels that can run here, slowest first.
func Available() (all []Kernel) {
	for k := Scalar; k <= Best(); k++ {
		all = append(all, k)
	}
	return all
}
