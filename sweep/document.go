package sweep

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds on a sweep file, so that no file costs more than 256 MB or more than a few seconds to
// read.
const (
	// MaxFileBytes is the largest size of a sweep file.
	MaxFileBytes = 4 << 20
	// MaxCanonicalBytes is the largest size of a canonical spec: coordinators store it in etcd,
	// whose requests are limited to 1.5 MiB.
	MaxCanonicalBytes = 1 << 20
	// maxMarks bounds the characters that can start a token; the parser needs about 0.5 KB for
	// each.
	maxMarks = 150_000
	maxDepth = 32
	// maxKeys bounds the keys of a mapping, in which the parser's time is quadratic.
	maxKeys = 256
)

// nodeKind is the shape of a node.
type nodeKind uint8

const (
	plainNode  nodeKind = iota // a scalar without quotes
	quotedNode                 // a scalar in quotes, or a block scalar
	listNode
	mapNode
)

func (k nodeKind) String() string {
	switch k {
	case listNode:
		return "a list"
	case mapNode:
		return "a mapping"
	}
	return "a value"
}

// node is a node of the YAML subset of sweep files.
type node struct {
	kind nodeKind
	pos  position
	text string  // of a scalar
	list []node  // of a list
	keys []entry // of a mapping, in the order of the file
}

// entry is one key of a mapping.
type entry struct {
	key   string
	pos   position // of the key
	value node
}

// String formats the node for messages.
func (n node) String() string {
	switch n.kind {
	case plainNode, quotedNode:
		if n.kind == plainNode && n.text == "" {
			return "nothing"
		}
		if len(n.text) > 60 {
			return fmt.Sprintf("%q...", n.text[:60])
		}
		if n.kind == quotedNode {
			return fmt.Sprintf("%q", n.text)
		}
		return strings.ToValidUTF8(n.text, "?")
	}
	return n.kind.String()
}

// readDocument reads a YAML document, or reports why it cannot.
func readDocument(src []byte, fail func(position, string, ...any)) (node, bool) {
	src = bytes.TrimPrefix(src, []byte("\ufeff")) // a byte order mark, as some editors write it
	if !sane(src, fail) {
		return node{}, false
	}
	tokens := lexer.Tokenize(string(src))
	if !plainTokens(tokens, fail) {
		return node{}, false
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		pos, text := syntaxError(err)
		fail(pos, "%s", text)
		return node{}, false
	}
	if len(file.Docs) > 1 {
		fail(
			position{line: int32(file.Docs[1].Start.Position.Line), column: 1},
			"got a second YAML document, want one",
		)
		return node{}, false
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		fail(position{line: 1, column: 1}, "the file is empty; give name, and fixed or grid")
		return node{}, false
	}
	c := converter{fail: fail}
	root := c.convert(file.Docs[0].Body)
	return root, !c.failed
}

// sane rejects oversized, binary and overly complex files before they are parsed.
func sane(src []byte, fail func(position, string, ...any)) bool {
	if len(src) > MaxFileBytes {
		fail(position{line: 1, column: 1}, "file: got %d bytes, want at most %d", len(src), MaxFileBytes)
		return false
	}
	line, start, marks := int32(1), 0, 0
	for i, c := range src {
		switch {
		case c == '\n':
			line, start = line+1, i+1
			marks++
		case c == '\t' || c == '\r':
		case c < ' ' || c == 0x7f:
			fail(position{line: line, column: int32(i-start) + 1}, "got control character %#02x, want text", c)
			return false
		case strings.IndexByte(",:-?[]{}#&*!|>'\"%@`", c) >= 0:
			marks++
		}
		if marks > maxMarks {
			fail(
				position{line: line, column: max(1, int32(i-start)+1)},
				"file: got more than %d line ends and marks such as commas, colons and quotes; "+
					"use linspace, logspace, range or sample for long axes",
				maxMarks,
			)
			return false
		}
	}
	if !utf8.Valid(src) {
		for i := 0; i < len(src); {
			r, size := utf8.DecodeRune(src[i:])
			if r == utf8.RuneError && size == 1 {
				before := src[:i]
				fail(
					position{
						line:   int32(bytes.Count(before, []byte("\n"))) + 1,
						column: int32(i-bytes.LastIndexByte(before, '\n')-1) + 1,
					},
					"got byte %#02x, want UTF-8 text",
					src[i],
				)
				return false
			}
			i += size
		}
	}
	return true
}

// plainTokens rejects YAML features that sweep files do not use, and nesting or mappings that would
// cost the parser too much stack or time.
func plainTokens(tokens token.Tokens, fail func(position, string, ...any)) bool {
	depth, dashes := 0, 0
	keys := map[int]int{} // keys of the mapping at each column, or at each flow depth below 0
	reset := func(column int) {
		for c := range keys {
			if c > column {
				delete(keys, c)
			}
		}
	}
	for i, t := range tokens {
		pos := position{line: int32(t.Position.Line), column: int32(max(1, t.Position.Column))}
		if t.Type != token.SequenceEntryType {
			dashes = 0
		}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			fail(pos, "YAML anchors, aliases and merge keys (& * <<) are not supported; write the value out")
			return false
		case token.TagType:
			fail(pos, "YAML tags (!) are not supported; leave the tag out")
			return false
		case token.MappingKeyType:
			fail(pos, "explicit keys (?) are not supported; write key: value")
			return false
		case token.DirectiveType:
			fail(pos, "YAML directives (%%) are not supported")
			return false
		case token.SequenceStartType, token.MappingStartType:
			depth++
			keys[-depth] = 0
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType:
			dashes++
			if depth == 0 {
				reset(t.Position.Column)
			}
		case token.MappingValueType:
			column := -depth
			if depth == 0 && i > 0 {
				column = tokens[i-1].Position.Column
				reset(column)
			}
			if keys[column]++; keys[column] > maxKeys {
				fail(pos, "mapping: got more than %d keys", maxKeys)
				return false
			}
		}
		if depth > maxDepth || dashes > maxDepth || len(keys) > 4*maxDepth {
			fail(pos, "got more than %d levels of nesting", maxDepth)
			return false
		}
	}
	return true
}

// syntaxError returns the place and the text of the YAML parser's error.
func syntaxError(err error) (position, string) {
	var positioned interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &positioned) && positioned.GetToken() != nil {
		at := positioned.GetToken().Position
		text := "not YAML: " + positioned.GetMessage()
		if strings.Contains(text, "mapping value is not allowed") {
			text += "; quote an expression that contains a colon"
		}
		return position{line: int32(at.Line), column: int32(max(1, at.Column))}, text
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return position{line: 1, column: 1}, "not YAML: " + first
}

// converter turns the YAML library's tree into nodes.
type converter struct {
	fail   func(position, string, ...any)
	failed bool
}

func (c *converter) refuse(pos position, format string, args ...any) node {
	c.failed = true
	c.fail(pos, format, args...)
	return node{pos: pos}
}

func positionOf(n ast.Node) position {
	at := n.GetToken().Position
	return position{line: int32(max(1, at.Line)), column: int32(max(1, at.Column))}
}

func (c *converter) convert(n ast.Node) node {
	if n == nil {
		return node{pos: position{line: 1, column: 1}}
	}
	pos := positionOf(n)
	switch n := n.(type) {
	case *ast.MappingNode:
		return c.mapping(pos, n.Values)
	case *ast.MappingValueNode:
		return c.mapping(positionOf(n.Key), []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		list := make([]node, len(n.Values))
		for i, v := range n.Values {
			list[i] = c.convert(v)
		}
		return node{kind: listNode, pos: pos, list: list}
	case *ast.LiteralNode:
		return node{kind: quotedNode, pos: pos, text: n.Value.Value}
	case *ast.StringNode:
		kind := plainNode
		if t := n.Token.Type; t == token.SingleQuoteType || t == token.DoubleQuoteType {
			kind = quotedNode
		}
		return node{kind: kind, pos: pos, text: n.Value}
	case *ast.NullNode:
		if n.Token.Type == token.ImplicitNullType {
			return node{pos: pos}
		}
		return node{pos: pos, text: n.Token.Value}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return node{pos: pos, text: n.GetToken().Value}
	}
	return c.refuse(pos, "YAML %s is not supported", n.Type())
}

func (c *converter) mapping(pos position, values []*ast.MappingValueNode) node {
	m := node{kind: mapNode, pos: pos, keys: make([]entry, 0, len(values))}
	if len(values) > 0 {
		m.pos = positionOf(values[0].Key)
	}
	for _, v := range values {
		key := c.convert(v.Key)
		if key.kind == listNode || key.kind == mapNode {
			c.refuse(key.pos, "key: want a word")
			continue
		}
		value := c.convert(v.Value)
		if value.kind == plainNode && value.text == "" {
			value.pos = key.pos
		}
		m.keys = append(m.keys, entry{key.text, key.pos, value})
	}
	return m
}
