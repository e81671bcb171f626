package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// SolverIdentity identifies the program that computes the rows of a sweep: with equal identities,
// equal points have equal rows. It is part of the ids of sweeps and points.
type SolverIdentity struct {
	// Name is a lower-case letter and at most 62 of these, digits, _ and -.
	Name string `json:"name" yaml:"name"`
	// Version is 1 to 64 visible ASCII characters.
	Version string `json:"version" yaml:"version"`
	// Hash is empty or 64 hex digits, and covers what the version does not say.
	Hash string `json:"hash,omitempty" yaml:"hash,omitempty"`
}

// builtinName is the name of the built-in solver.
const builtinName = "phasegrid"

// BuiltinSolver returns the identity of a version of the built-in solver.
func BuiltinSolver(version int) SolverIdentity {
	return SolverIdentity{Name: builtinName, Version: strconv.Itoa(version)}
}

var (
	solverName    = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)
	solverVersion = regexp.MustCompile(`^[!-~]{1,64}$`)
	solverHash    = regexp.MustCompile(`^([0-9a-f]{64})?$`)
)

// Check returns an error if a field is not of its form.
func (s SolverIdentity) Check() error {
	for _, f := range []struct {
		name, value string
		form        *regexp.Regexp
	}{
		{"name", s.Name, solverName}, {"version", s.Version, solverVersion}, {"hash", s.Hash, solverHash},
	} {
		if !f.form.MatchString(f.value) {
			return fmt.Errorf("solver %s: got %.100q, want %s", f.name, f.value, f.form)
		}
	}
	return nil
}

// ParseSolver is the inverse of String. It accepts valid identities only.
func ParseSolver(text string) (SolverIdentity, error) {
	var s SolverIdentity
	fields := strings.Split(text, " ")
	if len(fields) < 2 || len(fields) > 3 || fields[len(fields)-1] == "" {
		return s, fmt.Errorf("solver: got %.200q, want name, version and perhaps a hash", text)
	}
	s.Name, s.Version = fields[0], fields[1]
	if len(fields) == 3 {
		s.Hash = fields[2]
	}
	return s, s.Check()
}

// String is the identity in one line, the same for equal identities only: name, version and, if
// there is one, the hash, separated by spaces.
func (s SolverIdentity) String() string {
	return strings.TrimSuffix(s.Name+" "+s.Version+" "+s.Hash, " ")
}

// BeforeIdentities returns the number of a version of the built-in solver from before sweeps had
// solver identities, and whether s is one. The ids of its sweeps and points hash the number, and
// its rows lack columns of later versions.
func (s SolverIdentity) BeforeIdentities() (version int, ok bool) {
	version, err := strconv.Atoi(s.Version)
	return version, err == nil && version < 4 && s == BuiltinSolver(version)
}

// ID is the identity of the sweep's rows: 32 hex digits of the SHA-256 of the canonical spec,
// which has the plan version, and the solver.
func (s *Spec) ID(solver SolverIdentity) string {
	hash := sha256.New()
	hash.Write(s.canonical)
	if version, ok := solver.BeforeIdentities(); ok {
		fmt.Fprintf(hash, "\nsolver %d\n", version)
	} else {
		fmt.Fprintf(hash, "\nsolver %s\n", solver)
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}

// ResultSet is the folder of the sweep's result set, name-<first 8 digits of the id>.
func (s *Spec) ResultSet(solver SolverIdentity) string {
	return strings.TrimPrefix(s.name+"-"+s.ID(solver)[:8], "-")
}

// PointID identifies what a resolved point computes: the first 16 bytes of the SHA-256 of its
// parameters as JSON in the order of the parameter table, null ones left out (so seed counts only
// where randomness is used), and the solver. Points of different sweeps with equal ids have equal
// rows.
func PointID(a Assignment, solver SolverIdentity) [16]byte {
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
	if version, ok := solver.BeforeIdentities(); ok {
		text = fmt.Appendf(text, `"solver_version":%d`, version)
	} else {
		text = fmt.Appendf(text, `"solver":%q`, solver.String())
	}
	sum := sha256.Sum256(text)
	return [16]byte(sum[:16])
}
