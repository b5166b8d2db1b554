package upstream

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"usher/catalog"
	"usher/datasource/upstream/decode"
	"usher/jsonscan"
	"usher/plan"
	"usher/value"
)

// What a call says: its address, its headers, its key and its body.

// call is the call for one row.
func (w *Writer) call(members map[string]any, key []value.Value, part string) (call, error) {
	how, id := w.change.Call(), w.change.Identity()
	keys := make(map[string]string, len(key))
	for k, v := range key {
		if !v.Null() {
			keys[w.change.KeyName(k)] = literal(v)
		}
	}
	c := call{method: how.Method(), format: catalog.JSON, writes: true, sent: new(atomic.Bool)}
	path, err := parse(how.Path(), true)
	if err != nil {
		return c, brokenPath(err)
	}
	filled, err := path.fillKeyed(id, keys, inPath)
	if err != nil {
		return c, err
	}
	to, err := w.request.below(filled)
	if err != nil {
		return c, err
	}
	asked := make(url.Values, len(w.request.query))
	for _, n := range w.request.query {
		text, err := n.value.fill(id, inQuery)
		if err != nil {
			return c, err
		}
		asked.Set(n.name, text)
	}
	to.RawQuery = asked.Encode()
	c.url = to
	if c.header, err = w.request.header(id, w.change.Override()); err != nil {
		return c, err
	}
	c.header.Set("Accept", accepted[catalog.JSON])
	if name := how.IdempotencyKey(); name != "" {
		c.header.Set(name, w.keyOf(part))
		c.repeatable = true
	}
	c.body, err = w.body(members, key, keys, c.header)
	return c, err
}

// keyOf is the key of the call for a part of the change. It follows from what was asked, whichever gateway is asked: the same
// mutation has the same one, and another mutation under the same key another.
func (w *Writer) keyOf(part string) string {
	if w.under == nil {
		return rand.Text()
	}
	text, _ := json.Marshal(append(slices.Clone(w.under), w.change.Owner(), w.change.Dataset(), w.change.Kind().String(), part))
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// body is what the call carries.
func (w *Writer) body(members map[string]any, key []value.Value, keys map[string]string, h http.Header) ([]byte, error) {
	spec := w.change.Call().Body()
	if spec == nil {
		if members == nil {
			return nil, nil
		}
		return (&body{json: members}).encode(h)
	}
	f := filling{id: w.change.Identity(), row: members, keys: keys, typed: make(map[string]any, len(key))}
	for k, v := range key {
		if !v.Null() {
			f.typed["{"+keyOf+w.change.KeyName(k)+"}"] = json.RawMessage(appendValue(nil, v))
		}
	}
	filled, err := fillJSON(spec, f.text)
	if err != nil {
		return nil, err
	}
	return (&body{json: filled}).encode(h)
}

// filling puts a row, its key and who asks into a body.
type filling struct {
	id    plan.Identity
	row   map[string]any
	keys  map[string]string
	typed map[string]any // keys as JSON, where the whole text is one
}

// text is what stands in the place of a text of the body.
func (f filling) text(text string) (any, error) {
	if text == string(catalog.RowPlaceholder) && f.row != nil {
		return f.row, nil
	}
	if key, ok := f.typed[text]; ok {
		return key, nil
	}
	t, err := parse(text, true)
	if err != nil {
		return nil, broken(fmt.Errorf("a body: %w", err))
	}
	return t.fillKeyed(f.id, f.keys, inJSON)
}

// put writes a value where a column stands in a row. The catalog has seen to it that the way
// leads through objects; a column that the API does not have is what it was told.
func put(row map[string]any, f plan.Field, g plan.Given) error {
	if f.Stored == "" {
		return nil
	}
	way := []string{f.Stored}
	if strings.HasPrefix(f.Stored, "/") {
		var err error
		if way, err = decode.ParsePointer(f.Stored); err != nil {
			return err
		}
	}
	for _, step := range way[:len(way)-1] {
		if row[step] == nil {
			row[step] = make(map[string]any)
		}
		inner, ok := row[step].(map[string]any)
		if !ok {
			return fmt.Errorf("upstream: %s stands within another column", f.Name)
		}
		row = inner
	}
	row[way[len(way)-1]] = json.RawMessage(appendGiven(nil, g))
	return nil
}

func appendGiven(dst []byte, g plan.Given) []byte {
	switch {
	case g.Null():
		return append(dst, "null"...)
	case !g.List():
		return appendValue(dst, g.Value())
	}
	dst = append(dst, '[')
	for i := range g.Items() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, g.Item(i))
	}
	return append(dst, ']')
}

// appendValue writes a value as JSON.
func appendValue(dst []byte, v value.Value) []byte {
	switch t := v.Type(); {
	case v.Null():
		return append(dst, "null"...)
	case t.Numeric(), t.Scalar == value.Boolean, t.Scalar == value.JSON:
		return append(dst, v.Text()...)
	}
	cell := value.Cell{Kind: value.KindText, Text: []byte(v.Text())}
	if out, err := value.AppendJSON(dst, v.Type(), cell, value.Style{}); err == nil {
		return out
	}
	return value.AppendQuoted(dst, []byte(v.Text()))
}

// Cell is a value that is written as the API would send it.
func Cell(t value.Type, g plan.Given) (value.Cell, error) {
	if g.Null() {
		return value.Cell{}, nil
	}
	s := jsonscan.Over(appendGiven(nil, g))
	c, _, err := jsonscan.ReaderOf(t)(s, t, nil)
	if err == nil {
		err = s.End()
	}
	return c, err
}
