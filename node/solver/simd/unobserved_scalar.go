package simd

// unobservedGD64 reports whether two vectors have a step of gd to take before end.
func (l *Lanes) unobservedGD64(vs []vector, end int) bool { return l.hasStep(vs, end) }

// unobservedSpecGD64 reports whether two vectors have a step of specgd to take before end.
func (l *Lanes) unobservedSpecGD64(vs []vector, end int) bool { return l.hasStep(vs, end) }
