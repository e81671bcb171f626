package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// pageName is the page's path in the repository.
const pageName = "docs/paper.md"

const introduction = `# The claims of the papers

What phasegrid's sweeps show of the claims of Braun, Bao, Huang and Imaizumi, "Spectral Gradient
Descent Mitigates Anisotropy-Driven Misalignment"
([arXiv 2601.22652](https://arxiv.org/abs/2601.22652)) and of its sibling, and what they show against
them. The paper's own sizes, learning rates and starts are not public: the set-ups are ours. Every
number is read from rows by a test that holds it in the range beside it. ` + "`make paper`" + ` solves the
sweeps and writes this page; [metrics](metrics.md) defines the columns.

`

// page joins the sections after a table of all claims.
func page(texts []string) string {
	var b strings.Builder
	b.WriteString(introduction + "| claim | verdict | sweeps |\n|---|---|---|\n")
	for _, s := range sections() {
		for _, c := range s.claims {
			fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", c.name, slug(c.name), c.verdict,
				strings.Join(c.examples, ", "))
		}
	}
	return b.String() + "\n" + strings.Join(texts, "\n")
}

// slug is the anchor of a heading.
func slug(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }

func (s section) heading() string {
	return "## " + s.title + "\n\n" + s.introduction
}

// section is the claim's part of the page.
func (c claim) section(m *measurement) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", c.name)
	for _, paragraph := range []string{
		fmt.Sprintf("%s (%s)", c.text, c.source),
		fmt.Sprintf("**Verdict: %s.** %s", c.verdict, c.words),
	} {
		b.WriteString(wrapped(paragraph) + "\n\n")
	}
	b.WriteString("| number | measured | expected | from |\n|---|---|---|---|\n")
	for _, n := range m.numbers {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", n.name, n.text(n.value), n.interval(), n.from)
	}
	b.WriteString("\n")
	for _, name := range c.examples {
		if firstWith(name) != c.name {
			continue // its figures stand there
		}
		for _, figure := range figureFiles(m.sets[name]) {
			fmt.Fprintf(&b, "![%s](%s)\n\n", name, strings.TrimPrefix(figure, "docs/"))
		}
	}
	b.WriteString("Sweeps:")
	for i, name := range c.examples {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, " [%s](../%s) `%.8s`", name, exampleFile(name), m.sets[name].id)
	}
	b.WriteString(".\n")
	return b.String(), nil
}

// wrapped breaks a paragraph into lines of at most 100 columns.
func wrapped(text string) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > 100 {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return strings.Join(append(lines, line), "\n")
}

// firstWith returns the name of the first claim that reads an example.
func firstWith(example string) string {
	for _, s := range sections() {
		for _, c := range s.claims {
			if slices.Contains(c.examples, example) {
				return c.name
			}
		}
	}
	return ""
}
