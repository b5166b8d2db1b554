package graph

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"

	"usher/schema"
)

// Documents that differ in numbers and strings only share one that was validated,
// and with it the plans of its operation: what is written in them is lifted out of
// them and given to slots, as the values of variables are.
//
// What may differ is what nothing but the planning of datasets reads. A document with
// other fields in its root, with literals in directives or defaults, or whose fields
// are merged because they are written alike, is nobody's but its text's.

// lifted is a literal of a shared document.
type lifted struct {
	number int    // among those of the document
	scalar string // which it has to fit; empty: it is inside of a value without a type
}

// shared is the document for all texts of a form, made of the one of a text of that
// form; nil if there is no such document.
func (d *document) shared(s *schema.Schema, f form) *document {
	if len(d.Operations) != 1 || d.Operations[0].Operation != ast.Query {
		return nil
	}
	w := lifting{schema: s, open: true}
	w.document(d.QueryDocument)
	slices.SortFunc(w.found, func(a, b *ast.Value) int { return a.Position.Start - b.Position.Start })
	if !w.open || !slices.EqualFunc(w.found, f.cut, func(v *ast.Value, text string) bool { return v.Raw == text }) {
		return nil
	}
	out := &document{QueryDocument: d.QueryDocument, text: d.text, roots: d.roots, lifted: make(map[*ast.Value]lifted, len(w.found))}
	for i, v := range w.found {
		one := lifted{number: i}
		if v.Definition != nil && v.ExpectedType != nil {
			one.scalar = v.Definition.Name
		}
		out.lifted[v] = one
		out.places = append(out.places, spot{v.Kind, one.scalar})
	}
	if !mergeWhateverIsWritten(d.QueryDocument, w.found) {
		return nil
	}
	m := meter{doc: d.QueryDocument, fragments: make(map[string]extent), administration: s.Administers(), lifted: out.lifted}
	op := d.Operations[0]
	out.extents = map[*ast.OperationDefinition]extent{op: m.selection(op.SelectionSet)}
	return out
}

// spot is where a literal of a shared document stands.
type spot struct {
	kind   ast.ValueKind
	scalar string
}

// takes tells whether the literals of another text of the form are valid.
func (d *document) takes(literals []string) bool {
	for i, p := range d.places {
		if p.scalar != "" && !fitsScalar(p.scalar, &ast.Value{Kind: p.kind, Raw: literals[i]}) {
			return false
		}
	}
	return true
}

// lifting collects the literals of a document.
type lifting struct {
	schema *schema.Schema
	found  []*ast.Value
	open   bool
}

func (w *lifting) document(doc *ast.QueryDocument) {
	for _, op := range doc.Operations {
		w.directives(op.Directives)
		for _, def := range op.VariableDefinitions {
			w.fixed(def.DefaultValue)
			w.directives(def.Directives)
		}
		w.selections(op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		w.directives(f.Directives)
		w.selections(f.SelectionSet)
	}
}

func (w *lifting) selections(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if _, isDataset := w.schema.Roots[s.Name]; !isDataset && s.Name != "__typename" && (s.ObjectDefinition == nil || s.ObjectDefinition.Name == w.schema.AST.Query.Name) {
				w.open = false
			}
			for _, arg := range s.Arguments {
				w.value(arg.Value)
			}
			w.directives(s.Directives)
			w.selections(s.SelectionSet)
		case *ast.InlineFragment:
			w.directives(s.Directives)
			w.selections(s.SelectionSet)
		case *ast.FragmentSpread:
			w.directives(s.Directives)
		}
	}
}

func (w *lifting) value(v *ast.Value) {
	switch v.Kind { //nolint:exhaustive // the others have no digits and no text in them
	case ast.IntValue, ast.FloatValue, ast.StringValue:
		w.found = append(w.found, v)
	case ast.ListValue, ast.ObjectValue:
		for _, child := range v.Children {
			w.value(child.Value)
		}
	}
}

func (w *lifting) directives(list ast.DirectiveList) {
	for _, d := range list {
		for _, arg := range d.Arguments {
			w.fixed(arg.Value)
		}
	}
}

// fixed is a value that has to be the same in all texts.
func (w *lifting) fixed(v *ast.Value) {
	if v == nil {
		return
	}
	before := len(w.found)
	w.value(v)
	w.open = w.open && len(w.found) == before
}

// mergeWhateverIsWritten tells whether fields of one name may be merged even though
// no literal is like another. The document is nobody else's yet.
func mergeWhateverIsWritten(doc *ast.QueryDocument, literals []*ast.Value) bool {
	written := make([]string, len(literals))
	for i, v := range literals {
		written[i], v.Raw = v.Raw, strconv.Itoa(i)
	}
	merges := true
	checkMerging(doc, func(...core.ErrorOption) { merges = false })
	for i, v := range literals {
		v.Raw = written[i]
	}
	return merges
}

// placed is a field of a shared document where it stands in the text of an operation:
// literals before it may be longer or shorter than in the first text.
func (d *document) placed(f *ast.Field, text string) *ast.Field {
	first, _ := formOf(d.text)
	other, _ := formOf(text)
	if d.lifted == nil || f.Position == nil || len(first.cut) != len(other.cut) {
		return f
	}
	at := 0 // bytes before it
	for range f.Position.Start {
		_, size := utf8.DecodeRuneInString(d.text[at:])
		at += size
	}
	for v, l := range d.lifted {
		if v.Position.Start < f.Position.Start {
			at += len(other.cut[l.number]) - len(first.cut[l.number])
		}
	}
	position := *f.Position
	position.Column = utf8.RuneCountInString(text[strings.LastIndexAny(text[:at], "\r\n")+1:at]) + 1
	out := *f
	out.Position = &position
	return &out
}
