package plan

import (
	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/value"
)

// An identity is made of columns that its holder sees, and read back by them:
// it stands for a row and for no right to see it.

// identity plans the sealed identity of a row.
func (lb *levelBuilder) identity(vis *catalog.Visible, ref int, f query.Field) (Output, error) {
	out := Output{key: f.Key, kind: OutID, text: vis.Dataset.Name}
	for _, name := range f.ID {
		col := vis.Column(name)
		if col == nil {
			return Output{}, unknownField(vis.Dataset.Type, f.Name)
		}
		out.fields = append(out.fields, Output{kind: OutCell, index: lb.cell(lb.ask(ref, col)), typ: col.Type})
	}
	return out, nil
}

// byIdentity plans the row of an identity that was opened.
func (lb *levelBuilder) byIdentity(vis *catalog.Visible, f query.Field, opened query.Value) (Level, error) {
	texts, _ := opened.(query.List)
	if len(f.ID) == 0 || len(texts) != len(f.ID) {
		return Level{}, fault.New(fault.BadUserInput, "the id is none of %s", vis.Dataset.Name)
	}
	var parts []Expr
	for i, name := range f.ID {
		col := vis.Column(name)
		text, ok := texts[i].(query.Text)
		if col == nil || !ok {
			return Level{}, fault.New(fault.BadUserInput, "the id is none of %s", vis.Dataset.Name)
		}
		v := value.Bound(col.Type, value.Cell{Kind: value.KindText, Text: []byte(text)})
		parts = append(parts, predicate(Eq, lb.ask(0, col), literal(v)))
	}
	return lb.one(vis, f, parts)
}
