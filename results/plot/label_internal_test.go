package plot

import (
	"testing"

	"gonum.org/v1/plot/font"
)

// TestTheFontHasEveryLabel checks the labels of all columns and numbers of all magnitudes: the font
// lacks, for example, some superscript digits.
func TestTheFontHasEveryLabel(t *testing.T) {
	texts := []string{"theory: λ = 2 (gd)", "0.949/η", "1/max(3, 1 + λ)"}
	for name := range symbols {
		texts = append(texts, label(name), symbol(name))
	}
	for name := range labels {
		texts = append(texts, label(name))
	}
	for _, x := range []float64{0, -1.5, 1e-300, 2e-7, 0.05, 1e4, 1e5, 12345678, 1e9, 1e10, 1e20, 3e300} {
		texts = append(texts, number(x))
	}
	face := font.DefaultCache.Lookup(textStyle(8).Font, 8)
	for _, text := range texts {
		for _, r := range text {
			if index, err := face.Face.GlyphIndex(nil, r); err != nil || index == 0 {
				t.Errorf("%q: the font has no glyph for %q", text, r)
			}
		}
	}
}

func TestNumber(t *testing.T) {
	for want, x := range map[string]float64{
		"0": 0, "0.05": 0.05, "1000": 1000, "1e4": 1e4, "1e9": 1e9, "1e10": 1e10, "1e20": 1e20, "2.5e6": 2.5e6,
		"1e-5": 1e-5, "-3e-12": -3e-12, "1e100": 1e100,
	} {
		if got := number(x); got != want {
			t.Errorf("%v: got %s, want %s", x, got, want)
		}
	}
}
