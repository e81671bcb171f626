package sweep

// costRelevant tells whether a parameter decides the cost, memory, representation or row sizes of a point. Points that
// share these parameters cost the same, so that shards are cut by arithmetic.
func costRelevant(id ParameterID) bool {
	switch id {
	case Model, Representation, Optimizer, Dimension, Width, Steps, Samples, BatchSize,
		Covariance, Spikes, Blocks, Rotate, Teacher, Init, Orthogonalizer, NSSteps:
		return true
	}
	return false
}
