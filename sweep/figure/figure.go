package figure

import (
	"encoding/json"
	"fmt"
)

// Kind is a kind of figure.
type Kind string

// The kinds.
const (
	Phase        Kind = "phase"        // heat map of Color over X and Y, one panel for each Facet
	Stability    Kind = "stability"    // heat map of the fraction of diverged runs over X and the learning rate
	Curves       Kind = "curves"       // Y against X, one line for each Color, one panel for each Facet
	Trajectories Kind = "trajectories" // Y against the step, one line for each Color, one panel for each Facet
	Bars         Kind = "bars"         // Y for each value of X, one bar for each Color, one panel for each Facet
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{Phase, Stability, Curves, Trajectories, Bars} }

// Bounds on what one sweep may ask for.
const (
	MaxFigures = 32
	maxText    = 1000 // bytes of a text
)

// Figure is one figure. Empty fields are chosen from the result set.
type Figure struct {
	Name string `json:"name,omitempty"`
	Kind Kind   `json:"kind,omitempty"`
	// X, Y and Color are columns or expressions of columns, Facet is a column. Y may be several,
	// with commas between them. X of trajectories is step, or eta_step for the learning rate times
	// the step.
	X     string `json:"x,omitempty"`
	Y     string `json:"y,omitempty"`
	Color string `json:"color,omitempty"`
	Facet string `json:"facet,omitempty"`
	// Where is a condition over the columns of the points table.
	Where string `json:"where,omitempty"`
	// XScale and YScale are linear or log; empty selects log if the numbers are positive and span a
	// factor of 20.
	XScale string `json:"x_scale,omitempty"`
	YScale string `json:"y_scale,omitempty"`
	// Threshold is the level of the contour in a phase diagram; 0 selects one half for an alignment
	// and no contour for other metrics.
	Threshold float64 `json:"threshold,omitempty"`
	// Band is what lines and bars show around medians over replicates: quantiles or interval.
	Band string `json:"band,omitempty"`

	// How it looks: the numbers at the ends of the axes, texts in place of the default ones, the
	// colour map of numbers, the whole size, the size of the smaller letters in points, and the
	// dots an inch of PNG.
	XLim      Limits  `json:"x_lim,omitzero"`
	YLim      Limits  `json:"y_lim,omitzero"`
	XLabel    string  `json:"x_label,omitempty"`
	YLabel    string  `json:"y_label,omitempty"`
	Title     string  `json:"title,omitempty"`
	Cmap      string  `json:"cmap,omitempty"`
	Size      Size    `json:"size,omitzero"`
	FontSize  float64 `json:"font_size,omitempty"`
	DPI       float64 `json:"dpi,omitempty"`
	NoCaption bool    `json:"no_caption,omitempty"`
}

// Limits are the ends of an axis, the lower first; the zero value selects those of the data.
type Limits [2]float64

// Size is a width and a height in points, 72 an inch; the zero value selects what fits the panels.
type Size [2]float64

// Bands are the values of Band.
const (
	quantiles = "quantiles" // from the 10 % to the 90 % quantile
	Interval  = "interval"  // the confidence interval of the median, as in the view phase_diagram
)

// cmaps lists the colour maps.
func cmaps() []string { return []string{"viridis", "cividis", "gray"} }

// Encode returns figures as JSON; nil for none.
func Encode(figures []Figure) []byte {
	if len(figures) == 0 {
		return nil
	}
	data, err := json.Marshal(figures)
	if err != nil {
		panic(err) // texts and finite numbers always encode
	}
	return data
}

// Decode reads what Encode wrote.
func Decode(data []byte) ([]Figure, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var figures []Figure
	if err := json.Unmarshal(data, &figures); err != nil {
		return nil, fmt.Errorf("decode figures: %w", err)
	}
	return figures, nil
}
