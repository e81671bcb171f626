package plot

import (
	"strconv"
	"strings"
)

// symbols are the letters that papers use for a column.
var symbols = map[string]string{
	"anisotropy": "λ", "dimension": "d", "width": "m", "samples": "n", "learning_rate": "η", "init_scale": "α",
	"exponent": "p", "rho": "ρ", "momentum": "β", "label_noise": "σ", "step": "k", "loss": "L", "power": "p",
}

// labels are the labels of columns whose names are too terse.
var labels = map[string]string{
	"learning_rate": "learning rate", "init_scale": "initial scale", "steps_to_90": "steps to 90 % alignment",
	"steps_to_99":  "steps to 99 % alignment",
	"held_90_step": "steps to hold 90 % alignment",
	"held_99_step": "steps to hold 99 % alignment",
	"escape_step":  "escape time (steps)", "weight_norm2": "squared norm of W",
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

// number formats a value with four digits: 0.05, 2000, 1e9. The font lacks some superscript digits
// and the superscript minus, so powers of ten are written with e.
func number(x float64) string { return compact(strconv.FormatFloat(x, 'g', 4, 64)) }

// compact removes the plus sign and the leading zero of an exponent: 1e+09 becomes 1e9.
func compact(number string) string {
	mantissa, exponent, ok := strings.Cut(number, "e")
	if !ok {
		return number
	}
	sign := ""
	if exponent[0] == '-' {
		sign = "-"
	}
	return mantissa + "e" + sign + strings.TrimLeft(exponent, "+-0")
}
