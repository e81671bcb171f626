package figure

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
)

// CheckCondition returns what is wrong with a condition over columns, of which row has a value of
// the type of each; nil if nothing is.
func CheckCondition(source string, row map[string]any) error {
	return check(source, row, expr.AsBool())
}

// CheckExpression is CheckCondition for an expression with any value.
func CheckExpression(source string, row map[string]any) error { return check(source, row) }

func check(source string, row map[string]any, options ...expr.Option) error {
	if len(source) > maxText {
		return fmt.Errorf("got %d characters, want at most %d", len(source), maxText)
	}
	_, err := expr.Compile(source, append(append(options, Functions()...), expr.Env(row))...)
	if err == nil {
		return nil
	}
	var at *file.Error
	if errors.As(err, &at) {
		return fmt.Errorf("%s (column %d of the expression)", at.Message, at.Column+1)
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(first)
}

// Functions are what expressions of columns have beside those of the language: sqrt, log, log10 and
// exp of a number, and pow(x, y).
func Functions() []expr.Option {
	var out []expr.Option
	for name, f := range map[string]func(float64) float64{
		"sqrt": math.Sqrt, "log": math.Log, "log10": math.Log10, "exp": math.Exp,
	} {
		out = append(out, expr.Function(name, func(args ...any) (any, error) {
			x, err := number(args[0])
			return f(x), err
		}, new(func(float64) float64), new(func(int) float64)))
	}
	return append(out, expr.Function("pow", func(args ...any) (any, error) {
		x, err := number(args[0])
		y, err2 := number(args[1])
		return math.Pow(x, y), errors.Join(err, err2)
	}, new(func(float64, float64) float64), new(func(int, int) float64),
		new(func(float64, int) float64), new(func(int, float64) float64)))
}

// number is an argument of a function.
func number(arg any) (float64, error) {
	switch x := arg.(type) {
	case float64:
		return x, nil
	case int:
		return float64(x), nil
	}
	return math.NaN(), fmt.Errorf("got %v, want a number", arg)
}

// Split splits a list of columns or expressions at the commas outside brackets and texts.
func Split(list string) []string {
	var parts []string
	depth, quote, first := 0, rune(0), 0
	for i, c := range list {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(list[first:i]))
			first = i + 1
		}
	}
	return append(parts, strings.TrimSpace(list[first:]))
}
