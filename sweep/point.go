package sweep

// Point is one index of a sweep with its parameters resolved: defaults filled in, inapplicable
// parameters null, "auto" replaced.
type Point struct {
	// Index is the place in the unfiltered enumeration.
	Index int64
	// Params are shared with the iterator that made them where they are lists: read only.
	Params Assignment
	// Invalid says in one line why the point cannot be solved, or is empty. Params are then as far
	// as they got.
	Invalid string
	// UnstableStep: gradient descent with a learning rate above its limit 1/λ_max of the Hessian at
	// the optimum.
	UnstableStep bool
	// ResonantStep: a sign-like optimizer whose init_scale/learning_rate is within 1e-6 of an
	// integer.
	ResonantStep bool
}
