package sweep

import (
	"crypto/sha256"
	"strconv"
)

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
