package sweep_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/phasegrid/phasegrid/sweep"
)

// FuzzParse: no input makes the parser panic; a file is either refused with places in it, or its
// canonical spec reads back as the same sweep with the same points.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "testdata/good/*.yaml", "examples/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		spec, err := sweep.Parse("sweep.yaml", src, sweep.Limits{})
		if err != nil {
			var mistakes sweep.Mistakes
			if !errors.As(err, &mistakes) || len(mistakes) == 0 {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		back, err := sweep.Decode(spec.Canonical())
		if err != nil {
			t.Fatalf("%v\n%s", err, spec.Canonical())
		}
		if !bytes.Equal(back.Canonical(), spec.Canonical()) || back.Size() != spec.Size() {
			t.Fatalf("%s reads back as %s", spec.Canonical(), back.Canonical())
		}
		for _, i := range []int64{0, spec.Size() / 2, spec.Size() - 1} {
			p, ok := spec.Point(i)
			q, ok2 := back.Point(i)
			if ok != ok2 || ok && !equalPoints(&p, &q) {
				t.Fatalf("point %d is %v, %v; after Decode %v, %v", i, p, ok, q, ok2)
			}
		}
	})
}

func equalPoints(p, q *sweep.Point) bool {
	if p.Index != q.Index || p.Invalid != q.Invalid || p.UnstableStep != q.UnstableStep ||
		p.ResonantStep != q.ResonantStep {
		return false
	}
	for id := range p.Params {
		if p.Params[id].String() != q.Params[id].String() || p.Params[id].Kind() != q.Params[id].Kind() {
			return false
		}
	}
	return true
}
