package formula_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/formula"
)

var columns = []results.Column{
	{Name: "dimension", Kind: results.Int64},
	{Name: "signal_alignment", Kind: results.Float64},
	{Name: "held_90_step", Kind: results.Int64},
	{Name: "optimizer", Kind: results.String},
	{Name: "unstable_step", Kind: results.Bool},
}

func row(name string) results.Cell {
	return map[string]results.Cell{
		"dimension":        {Int: 100},
		"signal_alignment": {Float: 0.75},
		"held_90_step":     {Null: true},
		"optimizer":        {Text: "gd"},
		"unstable_step":    {Bool: true},
	}[name]
}

func TestNumbers(t *testing.T) {
	null := math.NaN()
	for source, want := range map[string]float64{
		"dimension":                      100,
		"1 - signal_alignment":           0.25,
		"dimension / 8":                  12.5,
		"sqrt(dimension)":                10,
		"log(signal_alignment)":          math.Log(0.75),
		"log10(dimension)":               2,
		"exp(0)":                         1,
		"pow(dimension, 0.5)":            10,
		"dimension ** 2 * 2":             20000,
		"max(dimension, 200.5)":          200.5,
		"abs(-dimension)":                100,
		"optimizer == 'gd' ? 1 : 2":      1,
		"unstable_step":                  1,
		"not unstable_step":              0,
		"held_90_step":                   null,
		"held_90_step + 1":               null,
		"2 * (held_90_step - dimension)": null,
		"sqrt(held_90_step)":             null,
		"held_90_step ?? 7":              7,
		"held_90_step == nil ? 3 : 4":    3,
		"1 / (dimension - 100)":          null,
		"sqrt(-dimension)":               null,
		"log(0)":                         null,
		"dimension % 0":                  null,
	} {
		f, err := formula.ParseNumber(source, columns)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got := f.Of(row); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%s: got %v, want %v", source, got, want)
		}
	}
}

func TestConditions(t *testing.T) {
	for source, want := range map[string]bool{
		"":                                        true,
		"dimension > 50":                          true,
		"dimension > 50 and optimizer != 'gd'":    false,
		"held_90_step > 3":                        false,
		"not (held_90_step > 3)":                  false, // it has no value
		"held_90_step == nil":                     true,
		"unstable_step":                           true,
		"optimizer in ['gd', 'specgd']":           true,
		"optimizer startsWith 'g'":                true,
		"log10(dimension) == 2 and dimension > 1": true,
	} {
		f, err := formula.ParseCondition(source, columns)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got := f.Holds(row); got != want {
			t.Errorf("%s: got %v, want %v", source, got, want)
		}
	}
}

func TestColumnsAreThoseThatAreRead(t *testing.T) {
	f, err := formula.ParseNumber("held_90_step * max(dimension, 1)", columns)
	if err != nil || !slices.Equal(f.Columns(), []string{"dimension", "held_90_step"}) {
		t.Errorf("got %v, %v", f.Columns(), err)
	}
	c, err := formula.ParseCondition("let d = 3; optimizer == 'gd' and d > 2", columns)
	if err != nil || !slices.Equal(c.Columns(), []string{"optimizer"}) {
		t.Errorf("got %v, %v", c.Columns(), err)
	}
}

func TestMistakesAreFoundBeforeTheFirstRow(t *testing.T) {
	for source, want := range map[string]string{
		"optimizer":                 "got a string, want a number",
		"alignment":                 "unknown name alignment (column 1 of the expression)",
		"1 - ":                      "unexpected token EOF",
		"optimizer - 1":             "invalid operation",
		"sqrt(optimizer)":           "cannot use string",
		"[dimension]":               "got a slice, want a number",
		strings.Repeat("1 + ", 2e3): "got 8000 bytes, want at most 4096",
	} {
		if _, err := formula.ParseNumber(source, columns); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: got %v, want %q", source, err, want)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v has several lines", source, err)
		}
	}
	if _, err := formula.ParseCondition("dimension + 1", columns); err == nil {
		t.Error("a number is no condition")
	}
}
