// Package reference writes the reference pages beside it: Markdown that is made from the code.
package reference

import (
	"fmt"
	"regexp"
	"strings"
)

// Page is a Markdown page in the making.
type Page struct{ text strings.Builder }

// NewPage begins a page with a title and an introduction in Markdown, around which blank lines do
// not count.
func NewPage(title, introduction string) *Page {
	p := &Page{}
	p.Printf("<!-- Made from the code by make docs-reference. Do not edit. -->\n\n# %s\n\n", title)
	p.Printf("%s\n", strings.TrimSpace(introduction))
	return p
}

// Printf appends Markdown.
func (p *Page) Printf(format string, args ...any) { fmt.Fprintf(&p.text, format, args...) }

// String is the page so far.
func (p *Page) String() string { return p.text.String() }

var (
	inCode  = regexp.MustCompile("`[^`]*`")
	special = strings.NewReplacer("|", "\\|", "<", "&lt;", "*", "\\*", "_", "\\_")
	plain   = strings.NewReplacer("&lt;", "<", "\\*", "*", "\\_", "_")
)

// Table appends a table. Cells are plain text, in which backquotes mark code and links are
// Markdown's.
func (p *Page) Table(head []string, rows [][]string) {
	p.Printf("\n")
	p.row(head)
	p.Printf("%s|\n", strings.Repeat("|---", len(head)))
	for _, row := range rows {
		p.row(row)
	}
}

func (p *Page) row(cells []string) {
	for _, cell := range cells {
		cell = special.Replace(strings.Join(strings.Fields(cell), " "))
		cell = inCode.ReplaceAllStringFunc(cell, plain.Replace) // code shows its characters as they are
		p.Printf("%s ", strings.TrimRight("| "+cell, " "))
	}
	p.Printf("|\n")
}

// Code marks a name as code; nothing stays nothing.
func Code(name string) string {
	if name == "" {
		return ""
	}
	return "`" + name + "`"
}
