//go:build goexperiment.simd && amd64

package simd

// unobservedGD256 reports whether two vectors have a step of gd to take before end.
func (l *Lanes) unobservedGD256(vs []vector, end int) bool { return l.hasStep(vs, end) }

// unobservedSpecGD256 reports whether two vectors have a step of specgd to take before end.
func (l *Lanes) unobservedSpecGD256(vs []vector, end int) bool { return l.hasStep(vs, end) }
