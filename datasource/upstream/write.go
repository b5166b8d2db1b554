package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"slices"

	"usher/catalog"
	"usher/datasource/trouble"
	"usher/datasource/upstream/decode"
	"usher/fault"
	"usher/plan"
	"usher/value"
)

// A row is written by one call. It waits for its turn like any other and has the source's
// time; it is never shared with an equal one, and sent again only where the API tells a
// repeated call by a key.

// Writer makes the calls of one change.
type Writer struct {
	source  *Source
	change  plan.Change
	request requests
	ask     asker
	decoder *decode.Decoder
	under   []string // the mutation's own key, and whose it is; nil: each call has a key that is nobody's
	numbers []int64  // of the rows of an import, in its file; nil: it is none
}

// Under has the calls made under the key of a mutation: the same mutation makes them under the
// same keys, by which the API makes each once.
func (w *Writer) Under(tenant, subject, key string) { w.under = []string{tenant, subject, key} }

// Numbered has the calls of an import made for rows of these numbers.
func (w *Writer) Numbered(numbers []int64) { w.numbers = numbers }

// Writer prepares the calls of a change of rows of this source. It takes no other.
func (s *Source) Writer(c plan.Change) (*Writer, error) {
	switch {
	case !c.Valid():
		return nil, broken(errors.New("upstream: the change was not made by plan.BuildChange"))
	case c.Target().Source != s.spec.Name || c.Call().Method() == "" || s.plugin != nil:
		return nil, broken(fmt.Errorf("upstream: source %q is asked for a change that is not made there", s.spec.Name))
	}
	request, err := s.request.over(c.Override())
	if err != nil {
		return nil, err
	}
	ask, err := s.asker(request.base.String(), c.Identity(), c.Override())
	if err != nil {
		return nil, err
	}
	decoder, err := decode.NewDecoder(c.Reply(), c.Identity())
	if err != nil {
		return nil, fault.From(err)
	}
	return &Writer{source: s, change: c, request: request, ask: ask, decoder: decoder}, nil
}

func broken(err error) error { return fault.Broken("%w", err) }

// Insert makes a row of the change, and returns its key.
func (w *Writer) Insert(ctx context.Context, row int) ([]value.Value, error) {
	for i := range w.change.Inserts() {
		into := w.change.Insert(i)
		for n := range into.Rows() {
			if into.Row(n) != row {
				continue
			}
			members, given := make(map[string]any), make(map[string]any)
			for column := range into.Columns() {
				err := put(members, into.Column(column), into.Value(column, n))
				if column >= into.Stamps() {
					err = errors.Join(err, put(given, into.Column(column), into.Value(column, n)))
				}
				if err != nil {
					return nil, broken(err)
				}
			}
			key, known := GivenKey(w.change, into, n)
			gone, made, err := w.write(ctx, members, key, known, part("row", w.number(row), given))
			switch {
			case err == nil && gone:
				err = unavailable(trouble.NoTable, w.change.Dataset())
			case err == nil && !known && !w.answers(into, n):
				made, err = nil, w.unsure(errAnother)
			}
			return made, err
		}
	}
	return nil, broken(errors.New("upstream: a row that the change does not have"))
}

// Unnameable finds the first part of a key that no call could name: a row of it could be made, and never be changed. -1: all
// can be named.
func Unnameable(key []value.Value) int {
	return slices.IndexFunc(key, func(v value.Value) bool {
		_, err := inPath(literal(v))
		return !v.Null() && (err != nil || v.Text() == "")
	})
}

// number tells a row from the others that are inserted with it.
func (w *Writer) number(row int) any {
	if w.numbers == nil {
		return row
	}
	return w.numbers[row]
}

// part tells the call for a row from all others of a mutation and, by what is given, from those of another mutation under
// the same key. What usher presets is none of it: the moment of a mutation is another one when it is sent again.
func part(of ...any) string {
	text, _ := json.Marshal(of) // of texts, numbers and JSON there is always JSON
	return string(text)
}

// Change writes what the change says into the row with a key, or deletes it. Gone tells that
// the API has no such row.
func (w *Writer) Change(ctx context.Context, key []value.Value) (gone bool, err error) {
	var members, given map[string]any
	if sets := w.change.Update(); sets.Sets() > 0 {
		members, given = make(map[string]any), make(map[string]any)
		for i := range sets.Sets() {
			set := sets.Set(i)
			err := put(members, set.Column(), set.Value())
			if set.Place() != "" {
				err = errors.Join(err, put(given, set.Column(), set.Value()))
			}
			if err != nil {
				return false, broken(err)
			}
		}
	}
	named := make([]string, len(key))
	for i, v := range key {
		named[i] = v.Text()
	}
	gone, _, err = w.write(ctx, members, key, true, part("key", named, given))
	return gone, err
}

// GivenKey is the key of a row that is inserted; false: the API makes a part of it. A column
// that the API does not have is the tenant's, which it is told.
func GivenKey(c plan.Change, into plan.Insert, row int) (key []value.Value, known bool) {
	known = true
	for k := range into.Keys() {
		var v value.Value
		if f := into.Key(k); f.Stored == "" {
			v, _ = value.Parse(f.Type, c.Identity().Key())
		}
		for column := range into.Columns() {
			if into.Column(column).Name == into.Key(k).Name {
				v = into.Value(column, row).Value()
			}
		}
		known = known && !v.Null()
		key = append(key, v)
	}
	return key, known
}

// write makes the call for one row, which part tells from the others of the change. Of a key
// that is not known it takes what the API says.
func (w *Writer) write(ctx context.Context, members map[string]any, key []value.Value, known bool, part string) (gone bool, _ []value.Value, err error) {
	c, err := w.call(members, key, part)
	if err != nil {
		return false, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, w.source.spec.Timeout)
	defer cancel()
	r, err := w.ask(ctx, c)
	if err != nil {
		gone, err = w.failed(ctx, err, c.sent.Load())
		return gone, nil, err
	}
	defer r.close()
	rowless := w.change.Call().Rowless()
	if rowless && !w.deletes() || known && r.rest == nil && len(bytes.TrimSpace(r.head)) == 0 {
		if !known {
			err = w.unsure(errNoRow)
		}
		return false, key, err
	}
	said, err := w.said(r)
	switch {
	case rowless:
		err = errNoRow
	case err == nil && known && !sameKey(key, said):
		err = errAnother
	}
	if err != nil {
		return false, nil, w.unsure(err)
	}
	return false, said, nil
}

var (
	errNoRow   = errors.New("the reply does not say which row it is about")
	errAnother = errors.New("the reply is about another row")
)

// answers tells that the row which was read of the reply has what a row was given. What it leaves out it may have
// as well as not. Of a mutation that may have been made before it may have what was preset then.
func (w *Writer) answers(into plan.Insert, row int) bool {
	ref, from := w.change.Reply(), 0
	if w.under != nil {
		from = into.Stamps()
	}
	for column := from; column < into.Columns(); column++ {
		given := into.Value(column, row)
		if given.Null() {
			continue
		}
		for i := range ref.Fields() {
			f := ref.Field(i)
			if f.Name != into.Column(column).Name || w.decoder.Cell(i).Null() {
				continue
			}
			cell, err := Cell(f.Type, given)
			if err != nil {
				return false
			}
			a, err := value.AppendJSON(nil, f.Type, cell, value.Style{})
			b, failed := value.AppendJSON(nil, f.Type, w.decoder.Cell(i), value.Style{})
			if err != nil || failed != nil || !bytes.Equal(a, b) {
				return false
			}
		}
	}
	return true
}

// deletes tells that the call removes a row.
func (w *Writer) deletes() bool { return !w.change.Kind().Inserts() && w.change.Update().Sets() == 0 }

// said is the key of the row that the API says it has written. It is the tenant's.
func (w *Writer) said(r reply) ([]value.Value, error) {
	media, _, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	switch {
	case r.rest != nil:
		return nil, errTooLarge
	case err != nil || !isMedia(media, catalog.JSON), r.header.Get("Content-Encoding") != "":
		return nil, contentError("the reply's Content-Type is not that of json")
	}
	kept, err := decode.One(w.change.Call().Row(), r.head, w.decoder)
	if err != nil {
		return nil, err
	}
	if !kept {
		return nil, decode.ErrForeignRow
	}
	ref := w.change.Reply()
	key := make([]value.Value, 0, w.change.Keys())
	for k := range w.change.Keys() {
		for i := range ref.Fields() {
			if ref.Field(i).Name == w.change.KeyName(k) {
				key = append(key, value.Bound(ref.Field(i).Type, w.decoder.Cell(i)))
			}
		}
	}
	if len(key) != w.change.Keys() {
		return nil, errors.New("the key is none of what is read")
	}
	return key, nil
}

func sameKey(a, b []value.Value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Null() || b[i].Null() || a[i].Text() != b[i].Text() {
			return false
		}
	}
	return true
}
