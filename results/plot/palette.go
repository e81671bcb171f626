package plot

import (
	"image/color"
	"math"
)

// viridis is matplotlib's map (Smith and van der Walt, 2015) at eleven equal steps; its lightness
// rises.
var viridis = [...][3]float64{{68, 1, 84}, {72, 36, 117}, {65, 68, 135}, {53, 95, 141}, {42, 120, 142}, {33, 145, 140},
	{34, 168, 132}, {68, 191, 112}, {122, 209, 81}, {189, 223, 38}, {253, 231, 37}}

// shade returns the colour of x in [0, 1]; other numbers have the colour of the nearer end.
func shade(x float64) color.NRGBA {
	at := math.Min(math.Max(x, 0), 1) * float64(len(viridis)-1)
	i := min(int(at), len(viridis)-2)
	t := at - float64(i)
	var c [3]uint8
	for k := range c {
		c[k] = uint8(math.Round(viridis[i][k]*(1-t) + viridis[i+1][k]*t))
	}
	return color.NRGBA{c[0], c[1], c[2], 255}
}

// hues are those of Okabe and Ito (2008), without yellow, which is too light for lines on white.
var hues = [...]color.NRGBA{{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255},
	{86, 180, 233, 255}, {230, 159, 0, 255}, {0, 0, 0, 255}}

// hue returns the colour of the i-th name.
func hue(i int) color.NRGBA { return hues[i%len(hues)] }

var (
	white         = color.NRGBA{255, 255, 255, 255}
	ink           = color.NRGBA{30, 30, 30, 255}
	censoredColor = color.NRGBA{215, 215, 215, 255}
	divergedColor = color.NRGBA{120, 120, 120, 255}
	theoryColor   = color.NRGBA{200, 30, 30, 255}
)
