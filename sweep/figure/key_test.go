package figure_test

import (
	"slices"
	"testing"

	"github.com/phasegrid/phasegrid/sweep/figure"
)

// samples are a value of each key that has no words, and wrong ones.
var samples = map[string]struct {
	good string
	bad  []string
}{
	"name":       {"map", []string{"", "a b", "a/b"}},
	"x":          {"log(anisotropy)", []string{"", "a\nb"}},
	"y":          {"signal_alignment, pow(loss, 2)", []string{"", "a,,b", "a,b,c,d,e"}},
	"color":      {"optimizer", []string{""}},
	"facet":      {"dimension", []string{""}},
	"where":      {"dimension < 100", []string{""}},
	"threshold":  {"0.5", []string{"", "x", "NaN", "Inf"}},
	"x_lim":      {"-0.5,1000", []string{"1,1", "2,1", "1", "1,2,3", "a,b", "NaN,1", "0,Inf"}},
	"y_lim":      {"0.1,1", []string{"0.1"}},
	"x_label":    {"λ", []string{""}},
	"y_label":    {"loss", []string{""}},
	"title":      {"Figure 1", []string{""}},
	"size":       {"6x4in", []string{"6", "6x", "0x4", "6x4km", "-6x4", "1e9x4", "NaNx4", "6x4x2"}},
	"font_size":  {"10", []string{"1", "41", "x"}},
	"dpi":        {"300", []string{"1", "1e9", "NaN"}},
	"no_caption": {"true", []string{"", "yes"}},
}

// TestKeysReadWhatTheyWrite ranges over the table: each key sets and shows its value, keeps it as
// JSON, and refuses wrong ones.
func TestKeysReadWhatTheyWrite(t *testing.T) {
	for _, k := range figure.Keys() {
		s := samples[k.Name]
		if len(k.Words) > 0 {
			s.good, s.bad = k.Words[0], []string{"none"}
		}
		var f figure.Figure
		if err := k.Set(&f, s.good); err != nil || k.Value(&f) != s.good {
			t.Errorf("%s: got %q, %v, want %q", k.Name, k.Value(&f), err, s.good)
		}
		again, err := figure.Decode(figure.Encode([]figure.Figure{f}))
		if err != nil || !slices.Equal(again, []figure.Figure{f}) {
			t.Errorf("%s: got %+v, %v after JSON", k.Name, again, err)
		}
		if shows := f.Shows(); shows == k.Look {
			t.Errorf("%s: it shows something: %v", k.Name, shows)
		}
		if got := (figure.Figure{}).Restyled(f); (got == f) != k.Look {
			t.Errorf("%s: restyled to %+v", k.Name, got)
		}
		if len(s.bad) == 0 {
			t.Errorf("%s: no wrong values are tried", k.Name)
		}
		for _, text := range s.bad {
			if err := k.Set(&figure.Figure{}, text); err == nil {
				t.Errorf("%s: %q is accepted", k.Name, text)
			}
		}
	}
}

func TestSizesHaveUnits(t *testing.T) {
	for _, k := range figure.Keys() {
		if k.Name != "size" {
			continue
		}
		for text, want := range map[string]figure.Size{
			"6x4": {432, 288}, "72x36pt": {72, 36}, "1 x 2 in": {72, 144},
		} {
			var f figure.Figure
			if err := k.Set(&f, text); err != nil || f.Size != want {
				t.Errorf("%s: got %v, %v, want %v", text, f.Size, err, want)
			}
		}
	}
}

func TestDecodeRefusesLimitsThatDoNotRise(t *testing.T) {
	if f, err := figure.Decode([]byte(`[{"x_lim":[2,1]}]`)); err == nil {
		t.Errorf("got %+v", f)
	}
}
