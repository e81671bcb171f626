package main

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// claim is a statement of a paper, or a finding against one, and what the sweeps show of it.
type claim struct {
	name     string   // heading of its section
	text     string   // the claim in one sentence
	source   string   // where it is from
	examples []string // its sweeps: files of sweep/examples without .yaml
	measure  func(*measurement)
	verdict  verdict
	words    string // how far the sweeps show it; no numbers, since no test reads them
}

// verdict says how far a claim is shown. It stands under the condition that every number is in its
// range, which the tests hold.
type verdict string

const (
	holds       verdict = "holds"
	holdsInPart verdict = "holds in part"
	notShown    verdict = "not shown"
	against     verdict = "counter-finding"
)

// section is a part of the page.
type section struct {
	title, introduction string
	claims              []claim
}

// sections lists everything that is on the page.
func sections() []section {
	return []section{abstract(), counterFindings(), secondPaper(), beside()}
}

// number is a measured number and the range that it is expected in.
type number struct {
	name             string
	value, low, high float64
	from             string // where the expectation is from
}

// expected reports whether the number is in its range; an undefined one is not.
func (n number) expected() bool { return n.low <= n.value && n.value <= n.high }

// text prints a number with four digits, integers whole.
func (n number) text(x float64) string {
	switch {
	case x == math.Trunc(x) && math.Abs(x) < 1e7:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case math.IsInf(x, 1):
		return "∞"
	case math.IsInf(x, -1):
		return "-∞"
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

func (n number) interval() string {
	if n.low == n.high {
		return n.text(n.low)
	}
	return n.text(n.low) + " to " + n.text(n.high)
}

// quote is a sentence that a file must contain, with numbers of rows in it.
type quote struct{ file, text string }

// measurement is a claim's view of its sweeps, and what it finds there.
type measurement struct {
	ctx     context.Context // of reading rows
	sets    map[string]*set
	numbers []number
	quotes  []quote
	err     error
}

// run solves the claim's sweeps, unless that is done, and measures them.
func (c claim) run(ctx context.Context, shelf *shelf) (*measurement, error) {
	m := &measurement{ctx: ctx, sets: map[string]*set{}}
	for _, name := range c.examples {
		s, err := shelf.open(ctx, name)
		if err != nil {
			return nil, err
		}
		m.sets[name] = s
	}
	c.measure(m)
	return m, m.err
}

// runs returns the points of a sweep that pass a filter, which may be nil. It is an error of the
// measurement if there are none.
func (m *measurement) runs(example string, keep func(run) bool) []run {
	s := m.sets[example]
	if s == nil {
		m.fail(fmt.Errorf("sweep %s is not among the examples of the claim", example))
		return nil
	}
	var picked []run
	for _, r := range s.runs {
		if keep == nil || keep(r) {
			picked = append(picked, r)
		}
	}
	if len(picked) == 0 {
		m.fail(fmt.Errorf("sweep %s: no point is picked", example))
	}
	return picked
}

// paths is runs with their trajectories.
func (m *measurement) paths(example string, keep func(run) bool) []run {
	if s := m.sets[example]; s != nil {
		if err := s.loadTrajectories(m.ctx); err != nil {
			m.fail(fmt.Errorf("read trajectories of %s: %w", example, err))
		}
	}
	return m.runs(example, keep)
}

func (m *measurement) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

// expect records a number, the range it is expected in and where the expectation is from.
func (m *measurement) expect(name string, value, low, high float64, from string) {
	m.numbers = append(m.numbers, number{name, value, low, high, from})
}

// says records a sentence, made from rows, that the header of an example must contain.
func (m *measurement) says(example, format string, numbers ...any) {
	m.states(exampleFile(example), format, numbers...)
}

// states records a sentence, made from rows, that a file must contain.
func (m *measurement) states(file, format string, numbers ...any) {
	text := exponent.ReplaceAllString(fmt.Sprintf(format, numbers...), "e$1$2")
	m.quotes = append(m.quotes, quote{file, text})
}

// exponent is one that Sprintf has filled up to two digits.
var exponent = regexp.MustCompile(`e(-?)\+?0(\d)`)

// in reports whether a text contains the sentence, whatever its line breaks are.
func (q quote) in(text string) bool {
	return strings.Contains(flowing(text), flowing(q.text))
}

// flowing joins the lines of a comment or a paragraph.
func flowing(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		words = append(words, strings.Fields(strings.TrimPrefix(line, "#"))...)
	}
	return strings.Join(words, " ")
}
