package upstream

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"usher/catalog"
	"usher/datasource/upstream/decode"
	"usher/plan"
	"usher/query"
)

// body is what one request's POST carries; nil carries nothing. Exactly one of
// its forms is set.
type body struct {
	json any
	form url.Values
}

// fillBody puts the values of whoever asks into a body's texts.
func fillBody(spec catalog.Body, id plan.Identity) (*body, error) {
	switch {
	case spec.JSON != nil:
		filled, err := fillJSON(spec.JSON, templates(func(t template) (string, error) { return t.fill(id, inJSON) }))
		return &body{json: filled}, err
	case spec.Form != nil:
		b := &body{form: make(url.Values, len(spec.Form))}
		fields, err := parseTemplates("body", spec.Form)
		if err != nil {
			return nil, err
		}
		for _, f := range fields {
			text, err := f.value.fill(id, inQuery)
			if err != nil {
				return nil, err
			}
			b.form.Set(f.name, text)
		}
		return b, nil
	}
	return nil, nil
}

// checkBody refuses templates that cannot be read.
func checkBody(spec catalog.Body) error {
	if spec.JSON != nil {
		_, err := fillJSON(spec.JSON, templates(func(template) (string, error) { return "", nil }))
		return err
	}
	_, err := parseTemplates("body", spec.Form)
	return err
}

// fillJSON is a body as encoding/json takes it, with its texts filled.
func fillJSON(v query.Value, fill func(text string) (any, error)) (any, error) {
	switch v := v.(type) {
	case query.Text:
		return fill(string(v))
	case query.Number:
		return json.Number(v), nil
	case query.Bool:
		return bool(v), nil
	case query.List:
		out := make([]any, len(v))
		for i, item := range v {
			filled, err := fillJSON(item, fill)
			if err != nil {
				return nil, err
			}
			out[i] = filled
		}
		return out, nil
	case query.Object:
		out := make(map[string]any, len(v))
		for _, m := range v {
			filled, err := fillJSON(m.Value, fill)
			if err != nil {
				return nil, err
			}
			out[m.Name] = filled
		}
		return out, nil
	}
	return nil, nil //nolint:nilnil // null
}

// templates fills texts that are templates of who asks.
func templates(fill func(template) (string, error)) func(text string) (any, error) {
	return func(text string) (any, error) {
		t, err := parseTemplate(text)
		if err != nil {
			return nil, err
		}
		return fill(t)
	}
}

// set writes a parameter where a JSON pointer leads. The catalog has seen to
// it that it leads through objects; they are added where they are missing.
func (b *body) set(pointer string, value any) {
	steps, err := decode.ParsePointer(pointer)
	if err != nil || len(steps) == 0 {
		return
	}
	if b.form != nil {
		b.form.Set(steps[0], textOf(value))
		return
	}
	at, ok := b.json.(map[string]any)
	for _, step := range steps[:len(steps)-1] {
		if !ok {
			return
		}
		if at[step] == nil {
			at[step] = make(map[string]any)
		}
		at, ok = at[step].(map[string]any)
	}
	if ok {
		at[steps[len(steps)-1]] = value
	}
}

// textOf is a parameter in a form or query.
func textOf(value any) string {
	if n, ok := value.(json.Number); ok {
		return n.String()
	}
	text, _ := value.(string)
	return text
}

// encode writes the body and says in the header what it is.
func (b *body) encode(h http.Header) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	if b.form != nil {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
		return []byte(b.form.Encode()), nil
	}
	h.Set("Content-Type", "application/json")
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(b.json)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// inBody tells whether a parameter is one of the body.
func inBody(parameter string) bool { return strings.HasPrefix(parameter, "/") }
