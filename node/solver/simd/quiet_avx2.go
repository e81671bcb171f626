//go:build goexperiment.simd && amd64

package simd

// quietGD256 tells whether two vectors have a step of gd to take before end.
func (l *Lanes) quietGD256(vs []vector, end int) bool { return l.awake(vs, end) }

// quietSpecGD256 tells whether two vectors have a step of specgd to take before end.
func (l *Lanes) quietSpecGD256(vs []vector, end int) bool { return l.awake(vs, end) }
