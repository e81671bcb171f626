package plot

import (
	"math"
	"strconv"
	"strings"
)

// symbols are the letters that papers use for a column.
var symbols = map[string]string{
	"anisotropy": "λ", "dimension": "d", "width": "m", "samples": "n", "learning_rate": "η", "init_scale": "α",
	"exponent": "p", "rho": "ρ", "momentum": "β", "label_noise": "σ", "step": "k", "loss": "L", "power": "q",
}

// labels are the labels of columns whose names are too terse.
var labels = map[string]string{
	"learning_rate": "learning rate", "init_scale": "initial scale", "steps_to_90": "steps to 90 % alignment",
	"steps_to_99": "steps to 99 % alignment", "escape_step": "escape time (steps)", "weight_norm2": "squared norm of W",
	"peak_spike_alignment": "peak spike alignment", "eta_step": "ηk (learning rate times step)", "step": "step",
	"exponent": "spectral exponent", "label_noise": "label noise", "diverged": "fraction diverged",
}

// label returns the label of a column's axis.
func label(name string) string {
	text := labels[name]
	if text == "" {
		text = strings.ReplaceAll(name, "_", " ")
	}
	if s := symbols[name]; s != "" {
		text += " " + s
	}
	return text
}

// symbol returns a column's short name for captions and legends.
func symbol(name string) string {
	if s := symbols[name]; s != "" {
		return s
	}
	return strings.ReplaceAll(name, "_", " ")
}

// number formats a value; large powers of ten are written as such. The font has no superscript
// minus for small ones.
func number(x float64) string {
	if e := math.Round(math.Log10(x)); e >= 4 && x == math.Pow(10, e) {
		return "10" + superscript.Replace(strconv.Itoa(int(e)))
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

var superscript = strings.NewReplacer(
	"0",
	"⁰",
	"1",
	"¹",
	"2",
	"²",
	"3",
	"³",
	"4",
	"⁴",
	"5",
	"⁵",
	"6",
	"⁶",
	"7",
	"⁷",
	"8",
	"⁸",
	"9",
	"⁹",
)
