package upstream

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"usher/fault"
	"usher/plan"
)

// template is text with placeholders, parsed once. Its parts alternate: text,
// the name of a placeholder, text, and so on.
type template []string

// parseTemplate reads {tenant}, {tenant_key}, {subject}, {metadata.NAME} and
// {parameters.NAME}.
// Its errors do not repeat the text, which may hold a secret.
func parseTemplate(text string) (template, error) { return parse(text, false) }

// parse reads a template; keyed knows {key.NAME} too.
func parse(text string, keyed bool) (template, error) {
	var t template
	for {
		before, rest, found := strings.Cut(text, "{")
		if strings.Contains(before, "}") {
			return nil, fmt.Errorf("a } without its {")
		}
		t = append(t, before)
		if !found {
			return t, nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("a { without its }")
		}
		metadata, isMetadata := strings.CutPrefix(name, "metadata.")
		parameter, isParameter := strings.CutPrefix(name, "parameters.")
		switch {
		case name == "tenant" || name == "tenant_key" || name == "subject":
		case isMetadata && metadata != "":
		case isParameter && parameter != "":
		case keyed && strings.HasPrefix(name, keyOf):
		default:
			return nil, fmt.Errorf("a placeholder that is none of {tenant}, {tenant_key}, {subject}, {metadata.NAME} and {parameters.NAME}")
		}
		t, text = append(t, name), after
	}
}

// fill puts values in the place of the placeholders, each as encode has it. A
// value that is missing or empty refuses the request: left out, it would ask
// for more than the principal's rows.
func (t template) fill(id plan.Identity, encode func(string) (string, error)) (string, error) {
	return t.fillKeyed(id, nil, encode)
}

// keyOf begins a placeholder for a column of the key of the row that is written.
const keyOf = "key."

// fillKeyed is fill for a template of a call that writes a row with a key.
func (t template) fillKeyed(id plan.Identity, key map[string]string, encode func(string) (string, error)) (string, error) {
	if len(t) == 1 {
		return t[0], nil
	}
	var out strings.Builder
	for i, part := range t {
		if i%2 == 0 {
			out.WriteString(part)
			continue
		}
		if name, ok := strings.CutPrefix(part, keyOf); ok {
			text, err := encode(key[name])
			if err != nil || key[name] == "" {
				return "", Unnamed(name)
			}
			out.WriteString(text)
			continue
		}
		value := valueOf(part, id)
		if value == "" {
			return "", fault.New(fault.Forbidden, "the token has no value for {%s}, which the API needs", part).
				WithHint("ask whoever issued the token")
		}
		text, err := encode(value)
		if err != nil {
			return "", fault.New(fault.Forbidden, "the token's value for {%s} cannot be sent to the API: %v", part, err)
		}
		out.WriteString(text)
	}
	return out.String(), nil
}

// Unnamed refuses the value of a column of the key that cannot stand in a path.
func Unnamed(key string) *fault.Error {
	return fault.New(fault.BadUserInput, "the value of %s names no row of the API", key)
}

func valueOf(placeholder string, id plan.Identity) string {
	switch placeholder {
	case "tenant":
		return id.Tenant()
	case "tenant_key":
		if id.Tenant() == "" {
			return ""
		}
		return id.Key()
	case "subject":
		return id.Subject()
	}
	if name, ok := strings.CutPrefix(placeholder, "parameters."); ok {
		value, _ := id.Parameter(name)
		return value
	}
	value, _ := id.MetadataText(strings.TrimPrefix(placeholder, "metadata."))
	return value
}

// inHeader leaves a value as it is, or refuses one that the receiver would not
// read as it is.
func inHeader(value string) (string, error) {
	if hasControl(value) {
		return "", fmt.Errorf("it holds a control character")
	}
	if strings.TrimSpace(value) != value {
		return "", fmt.Errorf("it begins or ends with a space")
	}
	return value, nil
}

// inPath encodes a value as a part of one path segment. Servers that unpack
// %2F before they look at the path would take dots between slashes as steps.
func inPath(value string) (string, error) {
	if hasControl(value) {
		return "", fmt.Errorf("it holds a control character")
	}
	for _, segment := range strings.FieldsFunc(value, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return "", fmt.Errorf("it holds a dot segment")
		}
	}
	return url.PathEscape(value), nil
}

// inQuery leaves the encoding to url.Values.
func inQuery(value string) (string, error) { return value, nil }

// inJSON leaves the encoding to encoding/json, which would replace what is not
// UTF-8 by something else.
func inJSON(value string) (string, error) {
	if !utf8.ValidString(value) {
		return "", fmt.Errorf("it is not UTF-8")
	}
	return value, nil
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 })
}
