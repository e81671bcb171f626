package sweep

import (
	"crypto/sha256"
	"strconv"
)

// Point is one index of a sweep with its parameters resolved: defaults filled in, inapplicable
// parameters null, "auto" replaced.
type Point struct {
	// Index is the index in the unfiltered enumeration.
	Index int64
	// Params are shared with the iterator that made them where they are lists: read only.
	Params Assignment
	// Invalid says in one line why the point cannot be solved, or is empty. Params are then
	// resolved as far as possible.
	Invalid string
	// UnstableStep: gradient descent with a learning rate above its limit 1/λ_max of the Hessian at
	// the optimum.
	UnstableStep bool
	// ResonantStep: a sign-like optimizer whose init_scale/learning_rate is within 1e-6 of an
	// integer.
	ResonantStep bool
}

// PointID identifies what a resolved point computes: the first 16 bytes of the SHA-256 of its
// parameters as JSON in the order of the parameter table, null ones left out (so seed counts only
// where randomness is used), and the solver's version. Points of different sweeps with equal ids
// have equal rows.
func PointID(a Assignment, solverVersion int) [16]byte {
	text := make([]byte, 0, 1024)
	for i, v := range a[:NumParameters] {
		if v.IsNull() {
			continue
		}
		text = append(text, '"')
		text = append(text, builtin[i].Name...)
		text = append(text, '"', ':')
		text = append(text, v.String()...)
		text = append(text, ',')
	}
	text = append(text, `"solver_version":`...)
	text = strconv.AppendInt(text, int64(solverVersion), 10)
	sum := sha256.Sum256(text)
	return [16]byte(sum[:16])
}
