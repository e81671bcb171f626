package figure

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Key is a key of a figure in a sweep file.
type Key struct {
	Name string
	Doc  string
	// Words are the only values, if there are any.
	Words []string
	// Column: the value names a column. Condition: it is a condition over columns.
	Column, Condition bool

	field func(*Figure) any // pointer to the field
}

// Keys is the table of keys.
func Keys() []Key {
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
		{
			Name:   "x",
			Column: true,
			Doc:    "column on the x axis; of trajectories step, or eta_step (learning rate times step)",
			field:  func(f *Figure) any { return &f.X },
		},
		{Name: "y", Column: true, Doc: "column on the y axis", field: func(f *Figure) any { return &f.Y }},
		{Name: "color", Column: true, Doc: "column shown as color", field: func(f *Figure) any { return &f.Color }},
		{Name: "facet", Column: true, Doc: "column with one panel for each value",
			field: func(f *Figure) any { return &f.Facet }},
		{Name: "where", Condition: true, Doc: "condition on the columns of points",
			field: func(f *Figure) any { return &f.Where }},
		{Name: "x_scale", Words: scales, Doc: "default log for positive values that span a factor of 20",
			field: func(f *Figure) any { return &f.XScale }},
		{Name: "y_scale", Words: scales, Doc: "as x_scale", field: func(f *Figure) any { return &f.YScale }},
		{Name: "threshold", Doc: "level of the contour in a phase diagram; default 0.5 of an alignment, none of others",
			field: func(f *Figure) any { return &f.Threshold }},
	}
}

// IsNumber reports whether the value of the key is a number.
func (k Key) IsNumber() bool {
	_, ok := k.field(&Figure{}).(*float64)
	return ok
}

// Set sets the key of a figure. The error is "got X, want Y".
func (k Key) Set(f *Figure, text string) error {
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
		*field = x
	}
	return nil
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
	}
	*field = text
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
