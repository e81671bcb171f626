package figure

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Key is a key of a figure in a sweep file. The flags of phasegrid plot are the keys too.
type Key struct {
	Name string
	Doc  string
	// Words are the only values, if there are any.
	Words []string
	// Column: the value names a column. Expression: or it is an expression of columns; List: or
	// several of them. Condition: it is a condition over columns.
	Column, Expression, List, Condition bool
	// Look: it says how the figure looks, not what it shows.
	Look bool
	// Min and Max bound a number, where they differ.
	Min, Max float64

	field func(*Figure) any // pointer to the field
}

// Keys is the table of keys: what a figure shows, then how it looks.
func Keys() []Key {
	keys := shown()
	for _, k := range looks() {
		k.Look = true
		keys = append(keys, k)
	}
	return keys
}

// shown are the keys that say what a figure shows.
func shown() []Key {
	var kinds []string
	for _, k := range Kinds() {
		kinds = append(kinds, string(k))
	}
	scales := []string{"linear", "log"}
	return []Key{
		{Name: "name", Doc: "by which plot --figure chooses it, and its file is called",
			field: func(f *Figure) any { return &f.Name }},
		{Name: "kind", Words: kinds, Doc: "kind of figure; default what fits the axes",
			field: func(f *Figure) any { return &f.Kind }},
		{Name: "x", Column: true, Expression: true,
			Doc:   "column or expression on the x axis; of trajectories step, or eta_step (learning rate times step)",
			field: func(f *Figure) any { return &f.X }},
		{Name: "y", Column: true, Expression: true, List: true,
			Doc:   "column or expression on the y axis, or several such as signal_alignment, 1 - spike_alignment",
			field: func(f *Figure) any { return &f.Y }},
		{Name: "color", Column: true, Expression: true,
			Doc:   "column shown as color; in a phase diagram also an expression",
			field: func(f *Figure) any { return &f.Color }},
		{Name: "facet", Column: true, Doc: "column with one panel for each value",
			field: func(f *Figure) any { return &f.Facet }},
		{Name: "where", Condition: true, Doc: "condition on the columns of points",
			field: func(f *Figure) any { return &f.Where }},
		{Name: "x_scale", Words: scales, Doc: "default log for positive values that span a factor of 20",
			field: func(f *Figure) any { return &f.XScale }},
		{Name: "y_scale", Words: scales, Doc: "as x_scale", field: func(f *Figure) any { return &f.YScale }},
		{Name: "threshold",
			Doc:   "level of the contour in a phase diagram; default 0.5 of an alignment, none of others",
			field: func(f *Figure) any { return &f.Threshold }},
		{Name: "band", Words: []string{quantiles, Interval},
			Doc:   "around medians over replicates; default quantiles, 10 and 90 %; interval is that of the median",
			field: func(f *Figure) any { return &f.Band }},
	}
}

// looks are the keys that say how a figure looks.
func looks() []Key {
	return []Key{
		{Name: "x_lim", Doc: "ends of the x axis, such as 0,1", field: func(f *Figure) any { return &f.XLim }},
		{Name: "y_lim", Doc: "ends of the y axis", field: func(f *Figure) any { return &f.YLim }},
		{Name: "x_label", Doc: "label of the x axis", field: func(f *Figure) any { return &f.XLabel }},
		{Name: "y_label", Doc: "label of the y axis", field: func(f *Figure) any { return &f.YLabel }},
		{Name: "title", Doc: "title above the panels", field: func(f *Figure) any { return &f.Title }},
		{Name: "cmap", Words: cmaps(), Doc: "colours of numbers; default viridis",
			field: func(f *Figure) any { return &f.Cmap }},
		{Name: "size", Doc: "width and height of the figure, such as 6x4in or 16x10cm",
			field: func(f *Figure) any { return &f.Size }},
		{Name: "font_size", Min: 3, Max: 40,
			Doc:   "size of tick labels and legend in points; default 8, and the rest in proportion",
			field: func(f *Figure) any { return &f.FontSize }},
		{Name: "dpi", Min: 20, Max: 1200, Doc: "dots an inch of a PNG; default 200",
			field: func(f *Figure) any { return &f.DPI }},
		{Name: "no_caption", Doc: "leave the caption out", field: func(f *Figure) any { return &f.NoCaption }},
	}
}

// Flag is the name of the key as a flag of phasegrid plot.
func (k Key) Flag() string { return strings.ReplaceAll(k.Name, "_", "-") }

// Shape is the type of a key's value.
type Shape string

// The shapes.
const (
	Text    Shape = "text"
	Number  Shape = "number"
	Switch  Shape = "switch"  // true or false
	Numbers Shape = "numbers" // two numbers
)

// Shape returns the type of the key's value.
func (k Key) Shape() Shape {
	switch k.field(&Figure{}).(type) {
	case *float64:
		return Number
	case *bool:
		return Switch
	case *Limits:
		return Numbers
	}
	return Text
}

// Shows reports whether the figure says what to show, not only how it looks.
func (f Figure) Shows() bool {
	return slices.ContainsFunc(Keys(), func(k Key) bool { return !k.Look && k.Value(&f) != "" })
}

// Restyled returns the figure with what another one says about how it looks.
func (f Figure) Restyled(by Figure) Figure {
	for _, k := range Keys() {
		if text := k.Value(&by); k.Look && text != "" {
			if err := k.Set(&f, text); err != nil {
				panic(err) // what a key wrote it can read
			}
		}
	}
	return f
}

// Value returns the key's value as Set reads it; "" if the figure does not set it.
func (k Key) Value(f *Figure) string {
	switch field := k.field(f).(type) {
	case *Kind:
		return string(*field)
	case *string:
		return *field
	case *float64:
		if *field != 0 {
			return format(*field)
		}
	case *bool:
		if *field {
			return "true"
		}
	case *Limits:
		return field.String()
	case *Size:
		return field.String()
	}
	return ""
}

// Set sets the key of a figure. The error is "got X, want Y".
func (k Key) Set(f *Figure, text string) (err error) {
	switch field := k.field(f).(type) {
	case *Kind:
		return k.setText((*string)(field), text)
	case *string:
		return k.setText(field, text)
	case *float64:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("got %.40s, want a number", text)
		}
		if k.Min < k.Max && (x < k.Min || x > k.Max) {
			return fmt.Errorf("got %.40s, want %v..%v", text, k.Min, k.Max)
		}
		*field = x
	case *bool:
		switch strings.ToLower(text) {
		case "true":
			*field = true
		case "false":
			*field = false
		default:
			return fmt.Errorf("got %.40q, want true or false", text)
		}
	case *Limits:
		*field, err = parseLimits(text)
	case *Size:
		*field, err = parseSize(text)
	}
	return err
}

func (k Key) setText(field *string, text string) error {
	n := len(k.Words)
	switch {
	case n > 0 && !slices.Contains(k.Words, text):
		return fmt.Errorf("got %.40s, want %s or %s", text, strings.Join(k.Words[:n-1], ", "), k.Words[n-1])
	case text == "" || len(text) > maxText || strings.ContainsFunc(text, isControl):
		return fmt.Errorf("got %.40q, want at most %d characters on one line", text, maxText)
	case k.Name == "name" && strings.ContainsAny(text, "/\\ "):
		return fmt.Errorf("got %.40q, want a word without spaces and slashes", text)
	case k.List && slices.Contains(Split(text), ""):
		return fmt.Errorf("got %.40q, want columns with commas between them", text)
	case k.List && len(Split(text)) > MaxList:
		return fmt.Errorf("got %d columns, want at most %d", len(Split(text)), MaxList)
	}
	*field = text
	return nil
}

// MaxList bounds the columns of a list.
const MaxList = 4

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
