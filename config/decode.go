package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/auth"
	"usher/catalog"
	"usher/query"
)

// decoder fills structs from nodes by their yaml tags. It goes on after a
// problem, so that one reading reports them all.
type decoder struct {
	dir      string
	env      func(string) (string, bool)
	problems []problem
}

// spot is where a value stands; problems carry it.
type spot struct {
	path         []string
	line, column int
}

func (s spot) key(m member) spot {
	return spot{path: slices.Concat(s.path, []string{m.key}), line: m.line, column: m.column}
}

func (s spot) item(i int, n *node) spot {
	return spot{path: slices.Concat(s.path, []string{strconv.Itoa(i)}), line: n.line, column: n.column}
}

func (d *decoder) problem(at spot, format string, args ...any) {
	d.problems = append(d.problems, problem{
		line: at.line, column: at.column, path: strings.Join(at.path, "."), message: fmt.Sprintf(format, args...),
	})
}

func (d *decoder) decode(n *node, into any) {
	d.value(spot{line: n.line, column: n.column}, n, reflect.ValueOf(into).Elem())
}

// Types with a form of their own.
var (
	secretType   = reflect.TypeFor[catalog.Secret]()
	templateType = reflect.TypeFor[catalog.Template]()
	pathType     = reflect.TypeFor[catalog.Path]()
	namesType    = reflect.TypeFor[catalog.Names]()
	durationType = reflect.TypeFor[time.Duration]()
	valueType    = reflect.TypeFor[query.Value]()
	keysType     = reflect.TypeFor[auth.KeysSpec]()
)

// unmarshaler is a type that reads itself, trying one shape after another.
type unmarshaler interface {
	UnmarshalYAML(unmarshal func(any) error) error
}

func (d *decoder) value(at spot, n *node, v reflect.Value) {
	if n.kind == badNode {
		return
	}
	if n.kind == nullNode && (v.Kind() != reflect.Pointer || isNumber(v.Type())) && v.Type() != valueType {
		d.problem(at, "has no value; write one, or leave the key out")
		return
	}
	switch v.Type() {
	case secretType:
		v.SetString(d.reference(at, n))
		return
	case templateType:
		if n.kind == mapNode {
			v.SetString(d.reference(at, n))
		} else {
			d.text(at, n, v)
		}
		return
	case pathType:
		d.text(at, n, v)
		v.SetString(d.file(v.String()))
		return
	case namesType:
		if n.kind == textNode {
			v.Set(reflect.ValueOf(catalog.Names{n.text}))
			return
		}
	case durationType:
		d.duration(at, n, v)
		return
	case valueType:
		if q := d.query(at, n); q != nil {
			v.Set(reflect.ValueOf(q))
		}
		return
	}
	if u, ok := v.Addr().Interface().(unmarshaler); ok {
		d.unmarshal(at, n, u)
		return
	}
	switch v.Kind() {
	case reflect.String:
		d.text(at, n, v)
	case reflect.Bool:
		if n.kind != boolNode || n.text != "true" && n.text != "false" {
			d.problem(at, "must be true or false, not %s", n.kind)
			return
		}
		v.SetBool(n.text == "true")
	case reflect.Int, reflect.Int64:
		d.integer(at, n, v)
	case reflect.Pointer:
		if n.kind != nullNode {
			v.Set(reflect.New(v.Type().Elem()))
			d.value(at, n, v.Elem())
		}
	case reflect.Slice:
		d.slice(at, n, v)
	case reflect.Map:
		d.mapping(at, n, v)
	case reflect.Struct:
		d.structure(at, n, v)
	}
}

func (d *decoder) text(at spot, n *node, v reflect.Value) {
	switch n.kind {
	case textNode:
		v.SetString(n.text)
	case numberNode, boolNode:
		d.problem(at, "must be text; put it in quotes: %q", n.text)
	default:
		d.problem(at, "must be text, not %s", n.kind)
	}
}

func (d *decoder) file(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(d.dir, path)
}

// isNumber tells whether values of a type are numbers or durations, which a pointer may lead to.
func isNumber(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Int || t.Kind() == reflect.Int64
}

// isZero tells whether a node is the 0 of a number or duration of that type.
func isZero(n *node, t reflect.Type) bool {
	if t == durationType || t.Kind() == reflect.Pointer && t.Elem() == durationType {
		span, err := ParseDuration(n.text)
		return n.kind == textNode && err == nil && span == 0
	}
	return isNumber(t) && n.kind == numberNode && strings.TrimPrefix(n.text, "-") == "0"
}

var wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

func (d *decoder) integer(at spot, n *node, v reflect.Value) {
	i, err := strconv.ParseInt(n.text, 10, 64)
	if n.kind != numberNode || !wholeNumber.MatchString(n.text) || err != nil || v.OverflowInt(i) {
		d.problem(at, "must be a whole number such as 1000")
		return
	}
	v.SetInt(i)
}

func (d *decoder) duration(at spot, n *node, v reflect.Value) {
	if n.kind != textNode {
		d.problem(at, "%s", errDuration)
		return
	}
	t, err := ParseDuration(n.text)
	if err != nil {
		d.problem(at, "%s", err)
		return
	}
	v.SetInt(int64(t))
}

func (d *decoder) slice(at spot, n *node, v reflect.Value) {
	if ordered(v.Type()) {
		d.ordered(at, n, v)
		return
	}
	if n.kind != listNode {
		d.problem(at, "must be a list such as [a, b], not %s", n.kind)
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		d.value(at.item(i, item), item, out.Index(i))
	}
	v.Set(out)
}

// ordered tells whether a slice is a catalog.Ordered, a mapping in the file.
func ordered(t reflect.Type) bool {
	return t.PkgPath() == secretType.PkgPath() && strings.HasPrefix(t.Name(), "Ordered[")
}

func (d *decoder) ordered(at spot, n *node, v reflect.Value) {
	if n.kind != mapNode {
		d.problem(at, "must be a mapping of names, not %s", n.kind)
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.members), len(n.members))
	for i, m := range n.members {
		entry := out.Index(i)
		entry.FieldByName("Name").SetString(m.key)
		d.value(at.key(m), m.value, entry.FieldByName("Value"))
	}
	v.Set(out)
}

func (d *decoder) mapping(at spot, n *node, v reflect.Value) {
	if n.kind != mapNode {
		d.problem(at, "must be a mapping of names, not %s", n.kind)
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.members))
	for _, m := range n.members {
		elem := reflect.New(v.Type().Elem()).Elem()
		d.value(at.key(m), m.value, elem)
		out.SetMapIndex(reflect.ValueOf(m.key), elem)
	}
	v.Set(out)
}

// fieldKey is the key of a struct's field: empty for one that no file sets,
// and inline when the field's own keys stand in its place.
func fieldKey(f reflect.StructField) (key string, inline bool) {
	tag := f.Tag.Get("yaml")
	if tag == "-" {
		return "", false
	}
	name, options, _ := strings.Cut(tag, ",")
	return name, options == "inline"
}

// field is where a key's value goes. A number that is left out is the default, and what says nothing else than that is
// refused: null, and 0 where it is not a value of its own, which the tag zero says.
type field struct {
	reflect.Value

	zero bool
}

// fields are a struct's fields by key, those of inlined structs among them.
func fields(v reflect.Value) map[string]field {
	out := make(map[string]field)
	for i := range v.NumField() {
		key, inline := fieldKey(v.Type().Field(i))
		if inline {
			for k, f := range fields(v.Field(i)) {
				out[k] = f
			}
		} else if key != "" {
			out[key] = field{v.Field(i), v.Type().Field(i).Tag.Get("zero") == "true"}
		}
	}
	return out
}

func (d *decoder) structure(at spot, n *node, v reflect.Value) {
	if n.kind != mapNode {
		d.short(at, n, v)
		return
	}
	known := fields(v)
	for _, m := range n.members {
		field, ok := known[m.key]
		switch {
		case !ok:
			keys := make([]string, 0, len(known))
			for k := range known {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			d.problem(at.key(m), "unknown key; known here: %s", strings.Join(keys, ", "))
		case !field.zero && isZero(m.value, field.Type()):
			d.problem(at.key(m), "0 is no value of it; leave the key out for the default")
		case v.Type() == keysType && (m.key == "secret" || m.key == "pem"):
			field.SetString(d.reference(at.key(m), m.value))
		case v.Type() == keysType && m.key == "jwks_file":
			d.text(at.key(m), m.value, field.Value)
			field.SetString(d.file(field.String()))
		default:
			d.value(at.key(m), m.value, field.Value)
		}
	}
}

// short reads a struct that is written as the one field that may stand for it.
func (d *decoder) short(at spot, n *node, v reflect.Value) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("short") == "true" {
			d.text(at, n, v.Field(i))
			return
		}
	}
	d.problem(at, "must be a mapping, not %s", n.kind)
}

// unmarshal lets a type read itself. Its attempts report their problems to it,
// and the last one's are those of the value.
func (d *decoder) unmarshal(at spot, n *node, u unmarshaler) {
	err := u.UnmarshalYAML(func(into any) error {
		try := &decoder{dir: d.dir, env: d.env}
		try.value(at, n, reflect.ValueOf(into).Elem())
		if len(try.problems) > 0 {
			return attempt(try.problems)
		}
		return nil
	})
	var failed attempt
	switch {
	case errors.As(err, &failed):
		d.problems = append(d.problems, failed...)
	case err != nil:
		d.problem(at, "%s", err)
	}
}

// attempt is a failed reading.
type attempt []problem

func (a attempt) Error() string { return a[0].message }

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// query is a value in the language of where.
func (d *decoder) query(at spot, n *node) query.Value {
	switch n.kind {
	case boolNode:
		return query.Bool(n.text == "true")
	case textNode:
		return query.Text(n.text)
	case numberNode:
		if !jsonNumber.MatchString(n.text) {
			d.problem(at, "must be a number as JSON writes it, such as 0.5 or -12; put text in quotes")
		}
		return query.Number(n.text)
	case listNode:
		out := make(query.List, len(n.items))
		for i, item := range n.items {
			out[i] = d.query(at.item(i, item), item)
		}
		return out
	case mapNode:
		out := make(query.Object, len(n.members))
		for i, m := range n.members {
			out[i] = query.Member{Name: m.key, Value: d.query(at.key(m), m.value)}
		}
		return out
	case nullNode, badNode:
	}
	return query.Null{}
}
