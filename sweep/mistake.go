package sweep

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// position is a place in the sweep file, or in a file of rows that it names. Line and column are
// counted from 1.
type position struct {
	line, column int32
	file         int32 // index in reader.files; 0 is the sweep file
}

// Mistake is one mistake in a sweep file.
type Mistake struct {
	File         string
	Line, Column int
	// Text is "object: got X, want Y; hint".
	Text string
}

// Error returns "file:line:column: text".
func (m Mistake) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Column, m.Text)
}

// Mistakes are all mistakes of a sweep file, in the order of the file. Parse returns them as its
// error.
type Mistakes []Mistake

// maxMistakes bounds the mistakes that are printed for one file.
const maxMistakes = 100

// Error lists the mistakes, one per line.
func (m Mistakes) Error() string {
	lines := make([]string, 0, min(len(m), maxMistakes)+1)
	for i, mistake := range m {
		if i == maxMistakes {
			lines = append(lines, fmt.Sprintf("%s: and %d more mistakes", mistake.File, len(m)-i))
			break
		}
		lines = append(lines, mistake.Error())
	}
	return strings.Join(lines, "\n")
}

// sorted are the mistakes in the order of the files, without repetitions.
func (m Mistakes) sorted(files []string) Mistakes {
	slices.SortStableFunc(m, func(a, b Mistake) int {
		return cmp.Or(
			cmp.Compare(slices.Index(files, a.File), slices.Index(files, b.File)),
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Text, b.Text),
		)
	})
	return slices.Compact(m)
}

// closest is the word of least edit distance to a misspelt one, or "" if none is close.
func closest(wrong string, words []string) string {
	if len(wrong) > 40 {
		return ""
	}
	best, bestDistance := "", 1+max(1, len(wrong)/3)
	for _, word := range words {
		if d := editDistance(strings.ToLower(wrong), word); d < bestDistance {
			best, bestDistance = word, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions, substitutions and swaps of neighbours from a to b.
func editDistance(a, b string) int {
	before, last, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			next[j] = min(last[j]+1, next[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, last, next = last, next, before
	}
	return last[len(b)]
}

// hint is the end of a message about a misspelt word.
func hint(wrong string, words []string) string {
	if word := closest(wrong, words); word != "" {
		return fmt.Sprintf("; did you mean %q?", word)
	}
	return ""
}
