package upstream

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"usher/catalog"
	"usher/datasource/trouble"
	"usher/datasource/upstream/decode"
	"usher/fault"
	"usher/jsonscan"
	"usher/plan"
	"usher/query"
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
	filled, err := f.value(spec)
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

func (f filling) value(v query.Value) (any, error) {
	switch v := v.(type) {
	case query.Text:
		if v == catalog.RowPlaceholder && f.row != nil {
			return f.row, nil
		}
		if key, ok := f.typed[string(v)]; ok {
			return key, nil
		}
		t, err := parse(string(v), true)
		if err != nil {
			return nil, broken(fmt.Errorf("a body: %w", err))
		}
		return t.fillKeyed(f.id, f.keys, inJSON)
	case query.List:
		out := make([]any, len(v))
		for i, item := range v {
			filled, err := f.value(item)
			if err != nil {
				return nil, err
			}
			out[i] = filled
		}
		return out, nil
	case query.Object:
		out := make(map[string]any, len(v))
		for _, m := range v {
			filled, err := f.value(m.Value)
			if err != nil {
				return nil, err
			}
			out[m.Name] = filled
		}
		return out, nil
	}
	return fillJSON(v, nil)
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

// look is what to do after a call of which nobody knows what became of it.
func (w *Writer) look() string {
	if w.under != nil {
		return "send the same again with the same idempotency key: what was written is not written twice"
	}
	return "look whether it is there before you try again"
}

// ErrUnsaid is the cause of the failure of a call that the API has taken, and answered with something that shows
// another row than the one that was meant, or none.
var ErrUnsaid = errors.New("the reply does not say what became of the row")

func (w *Writer) unsure(err error) error {
	f := fault.From((&rows{source: w.source, ctx: context.Background(), dataset: w.change.Dataset(), read: 1}).failure(err))
	return w.unknown("the API of %s did not say of the row that it "+w.did()+" it", errors.Join(ErrUnsaid, f))
}

// unknown is a failure of which nobody knows what became of the row. The message names the dataset.
func (w *Writer) unknown(message string, cause error) error {
	out := fault.New(fault.Unavailable, message, w.change.Dataset()).WithHint("%s", w.look()).Because(cause)
	out.Unknown = true
	return out
}

// did is what the call does to a row.
func (w *Writer) did() string {
	if d := w.change.Kind(); !d.Inserts() && !d.Updates() {
		return "deleted"
	}
	return "wrote"
}

// Absent is the failure of a row that the API said it has written, and does not have.
func (w *Writer) Absent() error {
	return w.unknown("the API of %s said that it wrote the row, and it is not there", nil)
}

// Unread is the failure of rows that the API said it has written or deleted, where it cannot be read whether it has.
func (w *Writer) Unread(cause error) error {
	return w.unknown("the API of %s took the calls and cannot be read now, so nobody knows whether it "+w.did()+" the rows", cause)
}

// Twice is the failure of a row that has the key of one before it, as the API says.
func (w *Writer) Twice() error {
	return w.unknown("the API of %s says that two rows are one", nil)
}

// Kept is the failure of a row that the API said it has deleted, and still has.
func (w *Writer) Kept() error {
	return fault.New(fault.Unavailable, "the API of %s took the call that deletes the row, and it is still there", w.change.Dataset())
}

// Ignored is the failure of a row that the API said it has written, and in which a column is as it was.
func (w *Writer) Ignored(set plan.Set) error {
	if set.Place() == "" { // whoever asks has not given it, and may not know of it
		return fault.New(fault.Unavailable, "the API of %s took the call, and the row is not as it was to be", w.change.Dataset())
	}
	f := fault.New(fault.Unavailable, "the API of %s took the call, and %s of the row is as it was", w.change.Dataset(), set.Column().Name)
	f.At = w.change.Key() + "." + set.Place()
	return f
}

// Unfound is the failure of a change under a key that finds no row: it may be the one by which there is none any more.
func (w *Writer) Unfound() error {
	out := fault.New(fault.Unavailable, "no row of %s is found, and nobody knows whether the same mutation "+w.did()+" it before", w.change.Dataset()).
		WithHint("look whether it is as it should be")
	out.Unknown = true
	return out
}

// failed is the failure of a call, or says that the row is gone. Nothing that the API says
// is repeated.
func (w *Writer) failed(ctx context.Context, err error, sent bool) (gone bool, _ error) {
	name := w.change.Dataset()
	var status *statusError
	if errors.As(err, &status) {
		return w.answered(status, err)
	}
	f := fault.From((&rows{source: w.source, ctx: ctx, dataset: name}).failure(err))
	if !sent || errors.Is(err, errPaused) || notAdmitted(err) {
		return false, f
	}
	return false, w.unknown("the API of %s did not answer, and nobody knows whether it "+w.did()+" the row", f)
}

// mostPause is how long a call that is not taken now is waited with.
const mostPause = time.Minute

// Later tells failures of calls of which nothing was done and which will be taken after a while: there
// are too many of them, or the API is left alone.
func Later(err error) (wait time.Duration, ok bool) {
	f := fault.From(err)
	var status *statusError
	wait = f.RetryAfter
	if errors.As(err, &status) && status.code == http.StatusTooManyRequests {
		wait = max(wait, time.Second)
	}
	return wait, !f.Unknown && (f.Code == fault.Unavailable || f.Code == fault.TooManyRequests) && wait > 0 && wait <= mostPause
}

// answered is what a status means to whoever writes.
func (w *Writer) answered(status *statusError, err error) (gone bool, _ error) {
	name := w.change.Dataset()
	cause := trouble.With(troubleOf(err), fmt.Errorf("source %q, dataset %q: %w", w.source.spec.Name, name, err))
	switch status.code {
	case http.StatusNotFound, http.StatusGone:
		return true, nil
	case http.StatusConflict, http.StatusPreconditionFailed:
		return false, fault.New(fault.Conflict, "the change of %s collides with a row that is there", name).Because(cause)
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return false, fault.New(fault.BadUserInput, "the API does not take this row of %s", name).Because(cause)
	case http.StatusForbidden:
		return false, fault.New(fault.Forbidden, "the API does not let %s be written so", name).Because(cause)
	}
	if !status.refuses() {
		return false, w.unknown("the API of %s failed, and nobody knows whether it "+w.did()+" the row", cause)
	}
	f := unavailable(troubleOf(err), name).Because(cause)
	f.RetryAfter = status.after
	return false, f
}
