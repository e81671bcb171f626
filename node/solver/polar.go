package solver

// polar stores the polar factor of g, the partial isometry where g has singular values that count as zero.
func (a *matrices) polar(dst, g []float64) (nuclear float64, err error) {
	nuclear, _, err = a.decomposed(dst, g, 0, a.one)
	return nuclear, err
}
