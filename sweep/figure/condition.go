package figure

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
)

// CheckCondition returns what is wrong with a condition over columns, of which row has a value of
// the type of each; nil if nothing is.
func CheckCondition(source string, row map[string]any) error {
	if len(source) > maxText {
		return fmt.Errorf("got %d characters, want at most %d", len(source), maxText)
	}
	_, err := expr.Compile(source, expr.Env(row), expr.AsBool())
	if err == nil {
		return nil
	}
	var at *file.Error
	if errors.As(err, &at) {
		return fmt.Errorf("%s (column %d of the condition)", at.Message, at.Column+1)
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(first)
}
