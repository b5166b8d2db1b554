package catalog

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"usher/query"
)

// APIWrites are the calls by which rows of a dataset are written through an API, one
// for each row.
type APIWrites struct {
	Insert, Update, Delete *WriteCall // nil: the API has none

	Row            string // JSON pointer to the row in a reply; empty: the reply is the row
	Rowless        bool   // what it replies says nothing of the row
	IdempotencyKey string // header by which the API tells a repeated call; empty: it does not
}

// WriteCall is the call that writes one row. Its texts are templates that know {key.NAME}
// too, and in the body the text {row}, which stands for what is written.
type WriteCall struct {
	Method string
	Path   string
	Body   query.Value // nil: what is written; of a delete, nothing
}

// RowPlaceholder is the text of a body in whose place the row stands that is written.
const RowPlaceholder = query.Text("{row}")

// noRow is what `row` says of replies that hold none.
const noRow = "none"

var keyPlaceholder = regexp.MustCompile(`\{key\.([^{}]*)\}`)

// apiWrites compiles what bindings say of writing through an API.
func (c *compiler) apiWrites(d *draft) {
	for _, source := range slices.Sorted(maps.Keys(d.spec.Bind)) {
		spec := d.spec.Bind[source]
		if spec.Writes == (APIWritesSpec{}) || spec.Source != "" {
			continue
		}
		src, b, at := c.catalog.Sources[source], d.Bindings[source], d.at.in("bind", source, "writes")
		switch {
		case src == nil || b == nil:
		case src.Kind != API:
			at.problem("%s is a database; what is written there needs no calls, `writable` is enough", source)
		case src.API.Plugin != nil:
			at.problem("%s is a plugin, and the protocol of plugins has no way to write", source)
		case len(d.spec.Writable) == 0:
			at.problem("nothing of %s is written; say `writable: true` there, or leave this out", d.Name)
		default:
			b.Writes = c.writeCalls(at, d, src, b, spec.Writes)
		}
	}
}

func (c *compiler) writeCalls(at place, d *draft, src *Source, b *Binding, spec APIWritesSpec) *APIWrites {
	out := &APIWrites{IdempotencyKey: http.CanonicalHeaderKey(spec.IdempotencyKey)}
	if spec.Row != nil && *spec.Row == noRow {
		out.Rowless = true
	} else if spec.Row != nil {
		pointer(at.in("row"), *spec.Row)
		out.Row = *spec.Row
	}
	if bad := badHeader(spec.IdempotencyKey); bad != "" && spec.IdempotencyKey != "" {
		at.in("idempotency_key").problem("%s", bad)
	}
	if spec.Insert == nil && spec.Update == nil && spec.Delete == nil {
		at.problem("names none of %s, %s and %s", InsertRows, UpdateRows, DeleteRows)
	}
	out.Insert = c.writeCall(at.in(InsertRows), d, src, b, spec.Insert, http.MethodPost)
	out.Update = c.writeCall(at.in(UpdateRows), d, src, b, spec.Update, http.MethodPatch)
	out.Delete = c.writeCall(at.in(DeleteRows), d, src, b, spec.Delete, http.MethodDelete)
	return out
}

func (c *compiler) writeCall(at place, d *draft, src *Source, b *Binding, spec *CallSpec, method string) *WriteCall {
	if spec == nil {
		return nil
	}
	out := &WriteCall{Method: cmp.Or(strings.ToUpper(spec.Method), method), Path: spec.Path, Body: spec.Body.JSON}
	if !slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, out.Method) {
		at.in("method").problem("must be post, put, patch or delete")
	}
	inserts := method == http.MethodPost
	if out.Path == "" && inserts {
		out.Path = b.Path
	}
	switch {
	case out.Path == "":
		at.in("path").problem("is missing; it names the row, such as %s/{key.%s}", b.Path, keyNameOf(d))
	case !strings.HasPrefix(out.Path, "/") || strings.ContainsAny(out.Path, "?#"):
		at.in("path").problem("must start with / and hold no ?; parameters belong in the source's `query`")
	}
	texts := append([]string{out.Path}, textsOf(out.Body)...)
	for _, text := range texts {
		c.callTemplate(at, d, text)
	}
	rest := strings.Join(texts, "\x00")
	if out.Body != nil && method != http.MethodDelete && !slices.Contains(texts[1:], string(RowPlaceholder)) {
		at.in("body", "json").problem(`does not say where the row goes; write "%s" there`, string(RowPlaceholder))
	}
	if !inserts {
		for _, key := range d.Key {
			if key != d.Tenant && !strings.Contains(rest, "{key."+key.Name+"}") {
				at.in("path").problem("does not say which row is meant; write {key.%s} there", key.Name)
			}
		}
	}
	c.callOfTenant(at, d, src, b, rest, inserts)
	return out
}

// callOfTenant refuses a call that could reach a row of another tenant: one that does not
// tell an API which keeps tenants apart whose row is meant, and one by a key that rows of
// two tenants may have.
func (c *compiler) callOfTenant(at place, d *draft, src *Source, b *Binding, texts string, inserts bool) {
	if d.Common {
		return
	}
	always := src.API
	always.Body = Body{} // of reading
	if src.API.Isolation == ByUpstream {
		said := placeholder.MatchString
		if src.API.says(namesTenant) || namesTenant(b.Path) {
			said = namesTenant
		}
		if !always.says(said) && !said(keyPlaceholder.ReplaceAllString(strings.ReplaceAll(texts, string(RowPlaceholder), ""), "")) {
			at.problem("does not tell the API whose row is meant, as reading does; write {tenant} or {tenant_key} into its path or body")
		}
		return
	}
	if inserts || d.spec.GlobalKeys || always.says(namesTenant) || namesTenant(texts) || d.Tenant != nil && strings.Contains(texts, "{key."+d.Tenant.Name+"}") {
		return
	}
	at.problem("names a row by a key that rows of two tenants may have; write {tenant_key} into its path or body, or say `global_keys: true` of %s if no two tenants' rows share one", d.Name)
}

func keyNameOf(d *draft) string {
	for _, key := range d.Key {
		if key != d.Tenant {
			return key.Name
		}
	}
	return "id"
}

// callTemplate checks a template of a call.
func (c *compiler) callTemplate(at place, d *draft, text string) {
	if text == string(RowPlaceholder) {
		return
	}
	for _, m := range keyPlaceholder.FindAllStringSubmatch(text, -1) {
		if !slices.ContainsFunc(d.Key, func(key *Column) bool { return key.Name == m[1] }) {
			at.problem("{key.%s} is no column of the key of %s", m[1], d.Name)
		}
	}
	placeholders(at, keyPlaceholder.ReplaceAllString(text, ""), c.spec.Parameters)
}

// textsOf are the texts in a value.
func textsOf(v query.Value) []string {
	switch v := v.(type) {
	case query.Text:
		return []string{string(v)}
	case query.List:
		var out []string
		for _, item := range v {
			out = append(out, textsOf(item)...)
		}
		return out
	case query.Object:
		var out []string
		for _, m := range v {
			out = append(out, textsOf(m.Value)...)
		}
		return out
	}
	return nil
}

// judgeAPIWrites refuses what cannot be kept where rows are written through an API.
func (c *compiler) judgeAPIWrites(d *draft, source string, b *Binding) {
	if d.spec.Version != "" {
		d.at.in("version").problem("rows are written in the API %s, where a row may change between the look at its version and the call; leave out `version`, or `writes` there", source)
	}
	if len(d.Key) == 0 {
		d.at.in("key").problem("is missing: rows that are written in %s are told apart by it", source)
	}
	deletes := b.Writes.Delete
	if d.spec.Deleted.At != "" {
		deletes = b.Writes.Update // they are stamped
	}
	for _, way := range []struct {
		name string
		asks bool
		call *WriteCall
	}{{InsertRows, d.Writes.Insert, b.Writes.Insert}, {UpdateRows, d.Writes.Update, b.Writes.Update}, {DeleteRows, d.Writes.Delete, deletes}} {
		if way.asks && way.call == nil {
			d.at.in("writable").note("%s of %s is refused in %s, which has no call for it", way.name, d.Name, source)
		}
	}
}

// sendable tells whether a column can be written into the row of an API: it stands in an
// object, and not within another column.
func (d *draft) sendable(b *Binding, col *Column) bool {
	way := wayOf(b.Columns[col.Name])
	if len(way) == 0 || slices.ContainsFunc(way, isIndex) {
		return false
	}
	for _, other := range d.Columns {
		to := wayOf(b.Columns[other.Name])
		if other != col && len(to) > 0 && (startsWith(way, to) || startsWith(to, way)) {
			return false
		}
	}
	return true
}

func isIndex(step string) bool {
	_, err := strconv.Atoi(step)
	return err == nil
}

func startsWith(way, with []string) bool {
	return len(way) >= len(with) && slices.Equal(way[:len(with)], with)
}

// wayOf leads from a row of an API to a column.
func wayOf(s Stored) []string {
	switch {
	case s.Missing || s.Name == "":
		return nil
	case s.Name[0] == '/':
		return strings.Split(s.Name[1:], "/")
	}
	return []string{s.Name}
}

// camelCalls renames the columns that calls name.
func camelCalls(spec APIWritesSpec) APIWritesSpec {
	for _, call := range []**CallSpec{&spec.Insert, &spec.Update, &spec.Delete} {
		if *call == nil {
			continue
		}
		renamed := **call
		renamed.Path, renamed.Body.JSON = camelKeys(renamed.Path), camelBody(renamed.Body.JSON)
		*call = &renamed
	}
	return spec
}

func camelKeys(text string) string {
	return keyPlaceholder.ReplaceAllStringFunc(text, func(m string) string { return "{key." + Camel(m[len("{key."):len(m)-1]) + "}" })
}

func camelBody(v query.Value) query.Value {
	switch v := v.(type) {
	case query.Text:
		return query.Text(camelKeys(string(v)))
	case query.List:
		out := make(query.List, len(v))
		for i, item := range v {
			out[i] = camelBody(item)
		}
		return out
	case query.Object:
		out := make(query.Object, len(v))
		for i, m := range v {
			out[i] = query.Member{Name: m.Name, Value: camelBody(m.Value)}
		}
		return out
	}
	return v
}
