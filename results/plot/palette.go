package plot

import (
	"hash/fnv"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep"
)

// cmap is a map from [0, 1] to colours: its colours at equal steps.
type cmap [][3]float64

// cmapOf returns the map of a name, viridis by default. The lightness of each rises: viridis (Smith
// and van der Walt, 2015) and cividis (Nunez, Anderton and Renslow, 2018), as in matplotlib, and
// gray, which ends before white.
func cmapOf(name string) cmap {
	switch name {
	case "cividis":
		return cmap{{0, 34, 78}, {18, 53, 112}, {59, 73, 108}, {87, 93, 109}, {112, 113, 115}, {138, 134, 120},
			{165, 156, 116}, {195, 180, 105}, {225, 204, 85}, {254, 232, 56}}
	case "gray":
		return cmap{{20, 20, 20}, {235, 235, 235}}
	}
	return cmap{{68, 1, 84}, {72, 36, 117}, {65, 68, 135}, {53, 95, 141}, {42, 120, 142}, {33, 145, 140},
		{34, 168, 132}, {68, 191, 112}, {122, 209, 81}, {189, 223, 38}, {253, 231, 37}}
}

// shade returns the colour of x in [0, 1]; other numbers have the colour of the nearer end.
func (m cmap) shade(x float64) color.NRGBA {
	at := math.Min(math.Max(x, 0), 1) * float64(len(m)-1)
	i := min(int(at), len(m)-2)
	t := at - float64(i)
	var c [3]uint8
	for k := range c {
		c[k] = uint8(math.Round(m[i][k]*(1-t) + m[i+1][k]*t))
	}
	return color.NRGBA{c[0], c[1], c[2], 255}
}

// hues are those of Okabe and Ito (2008), without yellow, which is too light for lines on white.
var hues = [...]color.NRGBA{{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255},
	{86, 180, 233, 255}, {230, 159, 0, 255}, {0, 0, 0, 255}}

// paint is how the lines and bars of one value are drawn.
type paint struct {
	color  color.NRGBA // of a line
	fill   color.NRGBA // of a bar; differs where the hues repeat
	dashes []vg.Length // of a line; differ where the hues repeat
}

// paintAt returns the paint of the i-th place.
func paintAt(i int) paint {
	hue := hues[i%len(hues)]
	switch i / len(hues) % 3 {
	case 1:
		return paint{color: hue, fill: mixed(hue, white, 0.5), dashes: []vg.Length{5, 1.5}}
	case 2:
		return paint{color: hue, fill: mixed(hue, ink, 0.5), dashes: []vg.Length{1.5, 1.5}}
	}
	return paint{color: hue, fill: hue}
}

// mixed is the colour between two others, t of the way from a to b.
func mixed(a, b color.NRGBA, t float64) color.NRGBA {
	between := func(x, y uint8) uint8 { return uint8(math.Round((1-t)*float64(x) + t*float64(y))) }
	return color.NRGBA{between(a.R, b.R), between(a.G, b.G), between(a.B, b.B), 255}
}

// wordPlaces returns the place of each word of a column. A word has the same place in every figure
// of a set, and one that a parameter's table lists has it in every set: its row. Other words take
// the places of their hashes, or the next ones that no earlier word took.
func (f *frame) wordPlaces(name string) map[string]int {
	places, taken := map[string]int{}, map[int]bool{}
	if f.columns[name].kind == results.Bool {
		return map[string]int{"false": 0, "true": 1}
	}
	for i, word := range parameterWords(name) {
		places[word], taken[i] = i, true
	}
	for _, word := range sorted(f.words[name]) {
		if _, ok := places[word]; ok {
			continue
		}
		hash := fnv.New32a()
		hash.Write([]byte(word))
		first, n := int(hash.Sum32())%len(hues), len(taken)/len(hues)*len(hues)
		for step := range len(hues) {
			if at := n + (first+step)%len(hues); !taken[at] {
				places[word], taken[at] = at, true
				break
			}
		}
	}
	return places
}

// parameterWords returns the words that a parameter can have, in the order of its table.
func parameterWords(name string) []string {
	for _, p := range sweep.Parameters() {
		if p.Name == name {
			return p.Words
		}
	}
	return nil
}

// paints returns the paints of the lines of a panel: a shade for a number, and for a word the paint
// of its place. A line without a colour column has the paint of its optimizer, if that is one.
func (f *frame) paints(o options, facet value, values []value) []paint {
	name := o.Color
	if name == "" {
		name, values = "optimizer", []value{facet}
		if c := f.columns[name]; o.Facet != name && c != nil {
			values = f.distinct(name)
		}
		if f.columns[name] == nil || len(values) != 1 {
			return []paint{paintAt(0)}
		}
	}
	places := map[string]int{}
	if len(values) > 0 && values[0].word != "" {
		places = f.wordPlaces(name)
	}
	var paints []paint
	for i, v := range values {
		if v.word == "" && len(values) > 1 {
			shade := cmapOf(o.Cmap).shade(0.9 * float64(i) / float64(len(values)-1))
			paints = append(paints, paint{color: shade, fill: shade})
		} else {
			paints = append(paints, paintAt(places[v.word]))
		}
	}
	return paints
}

var (
	white         = color.NRGBA{255, 255, 255, 255}
	ink           = color.NRGBA{30, 30, 30, 255}
	censoredColor = color.NRGBA{215, 215, 215, 255}
	divergedColor = color.NRGBA{120, 120, 120, 255}
	theoryColor   = color.NRGBA{200, 30, 30, 255}
)
