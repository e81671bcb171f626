package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var someHash = strings.Repeat("0a", 32)

// The text is written out by hand: defaults are in it, what does not apply is not.
func TestPointIDHashesTheResolvedParameters(t *testing.T) {
	a := resolved(t, spiked("momentum", 0.5)...)
	const parameters = `"model":"population","representation":"reduced","optimizer":"gd","dimension":100,"width":100,` +
		`"negative_units":0,"steps":1000,` +
		`"covariance":"spiked","anisotropy":10,"normalize":"none","rotate":"none","teacher":"eigen",` +
		`"teacher_index":0,"teacher_norm2":1,` +
		`"init":"identity","init_scale":0.01,"learning_rate":0.02,"schedule":"constant",` +
		`"weight_decay":0,`
	for _, c := range []struct {
		solver SolverIdentity
		text   string
	}{
		{BuiltinSolver(3), `"solver_version":3`},
		{BuiltinSolver(4), `"solver":"phasegrid 4"`},
		{SolverIdentity{Name: "phasegrid", Version: "03"}, `"solver":"phasegrid 03"`},
		{SolverIdentity{Name: "model", Version: "3"}, `"solver":"model 3"`},
		{SolverIdentity{Name: "model", Version: `"\`}, `"solver":"model \"\\"`},
		{SolverIdentity{Name: "model", Version: "3", Hash: someHash}, `"solver":"model 3 ` + someHash + `"`},
	} {
		want := sha256.Sum256([]byte(parameters + c.text))
		if got := PointID(a, c.solver); got != [16]byte(want[:16]) {
			t.Errorf("%s: %x, want %x", c.solver, got, want[:16])
		}
	}
}

func TestPointIDCountsWhatIsComputed(t *testing.T) {
	id := func(version int, pairs ...any) [16]byte {
		return PointID(resolved(t, spiked(pairs...)...), BuiltinSolver(version))
	}
	base := id(1)
	for _, same := range [][16]byte{
		id(1, "seed", 5), id(1, "representation", "reduced"), id(1, "width", 100), id(1, "beta1", 0.5), id(1,
			"teacher_norm2", 1),
	} {
		if same != base {
			t.Error("a parameter that does not count changes the id")
		}
	}
	online := []any{"model", "online", "batch_size", 10}
	seen := map[[16]byte]bool{base: true}
	for i, other := range [][16]byte{
		id(2), id(1, "representation", "dense"), id(1, "learning_rate", 0.020000000000000004), id(1, "optimizer",
			"ngd"),
		id(1, online...), id(1, append(online, "seed", 5)...), id(1, append(online, "seed", 6)...),
	} {
		if seen[other] {
			t.Errorf("case %d has the id of another", i)
		}
		seen[other] = true
	}
}

func TestSweepIDHashesTheSolver(t *testing.T) {
	spec, err := Parse("sweep.yaml", []byte("name: x\n"+
		"fixed: {covariance: isotropic, dimension: 9, steps: 3, init_scale: 0.1, "+
		"optimizer: gd, learning_rate: 0.1}\n"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for solver, tail := range map[SolverIdentity]string{
		BuiltinSolver(3): "3", BuiltinSolver(4): "phasegrid 4",
		{Name: "model", Version: "1", Hash: someHash}: "model 1 " + someHash,
	} {
		want := sha256.Sum256([]byte(string(spec.Canonical()) + "\nsolver " + tail + "\n"))
		if got := spec.ID(solver); got != hex.EncodeToString(want[:16]) {
			t.Errorf("%s: id %s, want %x", solver, got, want[:16])
		}
	}
}

func TestSolverIdentityReadsBackAsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := SolverIdentity{
			Name:    rapid.StringMatching(`[a-z][a-z0-9_-]{0,62}`).Draw(t, "name"),
			Version: rapid.StringMatching(`[!-~]{1,64}`).Draw(t, "version"),
			Hash:    rapid.SampledFrom([]string{"", someHash}).Draw(t, "hash"),
		}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		if got, err := ParseSolver(s.String()); err != nil || got != s {
			t.Fatalf("%q is read as %+v, %v", s, got, err)
		}
	})
}

func TestBadSolverIdentities(t *testing.T) {
	for _, s := range []SolverIdentity{
		{}, {Version: "1"}, {Name: "a"}, {Name: "A", Version: "1"}, {Name: "4a", Version: "1"},
		{Name: "a b", Version: "1"},
		{Name: "a\n", Version: "1"}, {Name: strings.Repeat("a", 64), Version: "1"},
		{Name: "a", Version: strings.Repeat("1", 65)}, {Name: "a", Version: "1 2"}, {Name: "a", Version: "1\n"},
		{Name: "a", Version: "ä"}, {Name: "a", Version: "1", Hash: "0a"},
		{Name: "a", Version: "1", Hash: someHash + "\n"},
		{Name: "a", Version: "1", Hash: strings.ToUpper(someHash)},
	} {
		if s.Check() == nil {
			t.Errorf("%q is accepted", s)
		}
		if got, err := ParseSolver(s.String()); err == nil && got == s {
			t.Errorf("%q is read", s)
		}
	}
	for _, text := range []string{"", "phasegrid", "phasegrid 4 ", " phasegrid 4", "phasegrid  4",
		"a 1 " + someHash + " b"} {
		if got, err := ParseSolver(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}
