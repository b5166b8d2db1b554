package config

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"usher/catalog"
)

// maxNesting bounds how deep the file's values may nest.
const maxNesting = 100

type nodeKind uint8

const (
	nullNode nodeKind = iota
	boolNode
	numberNode
	textNode
	listNode
	mapNode
	badNode // a problem was reported already
)

func (k nodeKind) String() string {
	return [...]string{"nothing", "true or false", "a number", "text", "a list", "a mapping", "unreadable"}[k]
}

// node is a value of the file: aliases are resolved, scalars keep their text.
type node struct {
	kind         nodeKind
	line, column int
	text         string // bool, number, text
	items        []*node
	members      []member
	byKey        map[string]int // of members
}

// member is a key of a mapping; its place is where problems of the value are
// reported.
type member struct {
	key          string
	line, column int
	value        *node
}

func (n *node) get(key string) (member, bool) {
	i, ok := n.byKey[key]
	if !ok {
		return member{}, false
	}
	return n.members[i], true
}

// spelled is the member of that key, or one that is served under it.
func (n *node) spelled(key string) (member, bool) {
	if m, ok := n.get(key); ok {
		return m, true
	}
	for _, m := range n.members {
		if catalog.Camel(m.key) == key {
			return m, true
		}
	}
	return member{}, false
}

// locate finds the place of a problem: that of its last key that the file has.
func (n *node) locate(p catalog.Problem) problem {
	out := problem{line: n.line, column: n.column, path: strings.Join(p.Path, "."), message: p.Message}
	for _, key := range p.Path {
		if m, ok := n.spelled(key); ok {
			out.line, out.column = m.line, m.column
			n = m.value
			continue
		}
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= len(n.items) {
			break
		}
		n = n.items[i]
		out.line, out.column = n.line, n.column
	}
	return out
}

// parseTree reads YAML into nodes; without a tree, a problem says why.
func parseTree(data []byte) (*node, []problem) {
	if !utf8.Valid(data) {
		return nil, []problem{{line: 1, column: 1, message: "the file is not UTF-8"}}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // as some editors begin a file
	f, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, []problem{syntaxProblem(err)}
	}
	b := &treeBuilder{anchors: make(map[string]*node)}
	var root *node
	for _, doc := range f.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			b.problem(doc.Body.GetToken(), "a second document; usher reads one")
			break
		}
		root = b.node(doc.Body, 0)
	}
	if root == nil {
		return nil, []problem{{line: 1, column: 1, message: "the file is empty"}}
	}
	return root, b.problems
}

func syntaxProblem(err error) problem {
	p := problem{line: 1, column: 1, message: "no YAML: " + err.Error()}
	var at yaml.Error
	if errors.As(err, &at) {
		p.message = "no YAML: " + at.GetMessage()
		if tk := at.GetToken(); tk != nil && tk.Position != nil {
			p.line, p.column = tk.Position.Line, tk.Position.Column
		}
	}
	return p
}

type treeBuilder struct {
	anchors  map[string]*node
	problems []problem
}

func (b *treeBuilder) problem(tk *token.Token, message string) {
	p := problem{line: 1, column: 1, message: message}
	if tk != nil && tk.Position != nil {
		p.line, p.column = tk.Position.Line, tk.Position.Column
	}
	b.problems = append(b.problems, p)
}

func (b *treeBuilder) node(from ast.Node, depth int) *node {
	n := &node{}
	tk := from.GetToken()
	if tk != nil && tk.Position != nil {
		n.line, n.column = tk.Position.Line, tk.Position.Column
	}
	if depth > maxNesting {
		b.problem(tk, "values are nested deeper than 100")
		n.kind = badNode
		return n
	}
	switch from := from.(type) {
	case *ast.NullNode:
	case *ast.BoolNode:
		n.kind, n.text = boolNode, tk.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		n.kind, n.text = numberNode, tk.Value
	case *ast.StringNode:
		n.kind, n.text = textNode, from.Value
	case *ast.LiteralNode:
		n.kind, n.text = textNode, from.Value.Value
	case *ast.SequenceNode:
		n.kind = listNode
		for _, item := range from.Values {
			n.items = append(n.items, b.node(item, depth+1))
		}
	case *ast.MappingNode:
		n.kind = mapNode
		for _, m := range from.Values {
			b.member(n, m, depth)
		}
	case *ast.MappingValueNode:
		n.kind = mapNode
		b.member(n, from, depth)
	case *ast.AnchorNode:
		n = b.node(from.Value, depth)
		b.anchors[from.Name.GetToken().Value] = n
	case *ast.AliasNode:
		if known := b.anchors[from.Value.GetToken().Value]; known != nil {
			return known
		}
		n.kind = badNode
		b.problem(tk, "there is no anchor of this name before it")
	default:
		n.kind = badNode
		b.problem(tk, "this YAML is not understood here; write the value plainly")
	}
	return n
}

func (b *treeBuilder) member(n *node, from *ast.MappingValueNode, depth int) {
	tk := from.Key.GetToken()
	if len(n.members) == 0 { // the token of a mapping is its first colon
		n.line, n.column = tk.Position.Line, tk.Position.Column
	}
	var text string
	switch key := from.Key.(type) {
	case *ast.StringNode:
		text = key.Value
	case *ast.NullNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode: // null: false is a key of columns
		text = tk.Value
	default:
		b.problem(tk, "a key must be plain text")
		return
	}
	if before, twice := n.get(text); twice {
		b.problem(tk, "the key "+text+" is already there, in line "+strconv.Itoa(before.line))
		return
	}
	if n.byKey == nil {
		n.byKey = make(map[string]int)
	}
	n.byKey[text] = len(n.members)
	n.members = append(n.members, member{
		key: text, line: tk.Position.Line, column: tk.Position.Column, value: b.node(from.Value, depth+1),
	})
}
