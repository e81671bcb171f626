package figure

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxPoints bounds the sides of a figure, in points.
const maxPoints = 200 * 72

// units are the lengths of a size in points.
func units() map[string]float64 {
	return map[string]float64{"in": 72, "cm": 72 / 2.54, "mm": 72 / 25.4, "pt": 1}
}

// String writes what parseSize reads.
func (s Size) String() string {
	if s == (Size{}) {
		return ""
	}
	return format(s[0]/72) + "x" + format(s[1]/72) + "in"
}

// parseSize reads a width and a height such as 6x4in or 16x10cm; inches where there is no unit.
func parseSize(text string) (s Size, err error) {
	bad := fmt.Errorf("got %.40q, want a width and a height such as 6x4in or 16x10cm, up to 200 inches", text)
	number, unit := text, 72.0
	for name, points := range units() {
		if rest, ok := strings.CutSuffix(text, name); ok {
			number, unit = rest, points
		}
	}
	width, height, ok := strings.Cut(strings.TrimSpace(number), "x")
	if !ok {
		return s, bad
	}
	for i, side := range []string{width, height} {
		x, err := strconv.ParseFloat(strings.TrimSpace(side), 64)
		if err != nil || !(x*unit >= 36 && x*unit <= maxPoints) {
			return Size{}, bad
		}
		s[i] = x * unit
	}
	return s, nil
}

// String writes what parseLimits reads.
func (l Limits) String() string {
	if l == (Limits{}) {
		return ""
	}
	return format(l[0]) + "," + format(l[1])
}

// parseLimits reads two numbers, the lower first.
func parseLimits(text string) (l Limits, err error) {
	bad := fmt.Errorf("got %.40q, want two numbers such as 0,1, the lower first", text)
	parts := Split(text)
	if len(parts) != 2 {
		return l, bad
	}
	for i, part := range parts {
		x, err := strconv.ParseFloat(part, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return Limits{}, bad
		}
		l[i] = x
	}
	if !(l[0] < l[1]) {
		return Limits{}, bad
	}
	return l, nil
}

// UnmarshalJSON implements json.Unmarshaler: limits of a stranger's sweep are checked again.
func (l *Limits) UnmarshalJSON(data []byte) error {
	var ends [2]float64
	if err := json.Unmarshal(data, &ends); err != nil {
		return err
	}
	if !(ends[0] < ends[1]) {
		return errors.New("got limits that do not rise")
	}
	*l = ends
	return nil
}

func format(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
