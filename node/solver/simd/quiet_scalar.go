package simd

// quietGD64 tells whether two vectors have a step of gd to take before end.
func (l *Lanes) quietGD64(vs []vector, end int) bool { return l.awake(vs, end) }

// quietSpecGD64 tells whether two vectors have a step of specgd to take before end.
func (l *Lanes) quietSpecGD64(vs []vector, end int) bool { return l.awake(vs, end) }
