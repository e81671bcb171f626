package sweep

import (
	"crypto/sha256"
	"testing"
)

// The text is written out by hand: defaults are in it, what does not apply is not.
func TestPointIDHashesTheResolvedParameters(t *testing.T) {
	a := resolved(t, spiked("momentum", 0.5)...)
	text := `"model":"population","representation":"reduced","optimizer":"gd","dimension":100,"width":100,` +
		`"negative_units":0,"steps":1000,` +
		`"covariance":"spiked","anisotropy":10,"normalize":"none","rotate":"none","teacher":"eigen",` +
		`"teacher_index":0,"teacher_norm2":1,` +
		`"init":"identity","init_scale":0.01,"learning_rate":0.02,"schedule":"constant",` +
		`"weight_decay":0,"solver_version":3`
	want := sha256.Sum256([]byte(text))
	if got := PointID(a, 3); got != [16]byte(want[:16]) {
		t.Errorf("%x, want %x", got, want[:16])
	}
}

func TestPointIDCountsWhatIsComputed(t *testing.T) {
	id := func(version int, pairs ...any) [16]byte { return PointID(resolved(t, spiked(pairs...)...), version) }
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
