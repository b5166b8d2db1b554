package dashboard

import (
	"bytes"
	"slices"
	"strings"

	"usher/query"
)

// order is how people write the members of each part; others come after them as they
// stand.
var order = []string{
	"id", "name", "title", "label", "description", "refresh", "parameters", "tiles", "type", "control", "default", "options", "at", "query", "variables", "chart",
	"kind", "rows", "x", "y", "w", "h", "path", "series", "size", "columns", "compare", "compareLabel", "stacked", "horizontal", "format", "style", "text",
}

// YAML is the document as people keep it in a file: what is read from it is the same
// document, with all digits.
func (d Document) YAML() []byte {
	var w bytes.Buffer
	writeObject(&w, d.written, "")
	return w.Bytes()
}

func writeObject(w *bytes.Buffer, o query.Object, indent string) {
	ordered := slices.Clone(o)
	slices.SortStableFunc(ordered, func(a, b query.Member) int { return rank(a.Name) - rank(b.Name) })
	for i, m := range ordered {
		if i > 0 || indent == "" {
			w.WriteString(indent)
		}
		w.WriteString(key(m.Name))
		w.WriteByte(':')
		writeMember(w, m.Value, indent)
	}
}

func rank(name string) int {
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	return len(order)
}

func key(name string) string {
	if pathForm.MatchString(name) && strings.Trim(name, "0123456789.") != "" && !reserved(name) {
		return name
	}
	return string(query.AppendJSON(nil, query.Text(name)))
}

// reserved are the names that YAML takes for something else.
func reserved(name string) bool {
	return slices.Contains([]string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}, strings.ToLower(name)) && name != "y"
}

// writeMember writes a value behind its name: what is long below it, in lines of its own.
func writeMember(w *bytes.Buffer, v query.Value, indent string) {
	below := indent + "  "
	switch v := v.(type) {
	case query.Object:
		if len(v) > 0 && !flat(v) {
			w.WriteString("\n" + below)
			writeObject(w, v, below)
			return
		}
	case query.List:
		if len(v) > 0 && slices.ContainsFunc(v, func(item query.Value) bool { _, object := item.(query.Object); return object }) {
			w.WriteByte('\n')
			for _, item := range v {
				w.WriteString(below + "- ")
				if o, ok := item.(query.Object); ok && len(o) > 0 && !flat(o) {
					writeObject(w, o, below+"  ")
					continue
				}
				writeFlow(w, item)
				w.WriteByte('\n')
			}
			return
		}
	case query.Text:
		if literal(string(v)) {
			w.WriteString(" |")
			text, ends := strings.CutSuffix(string(v), "\n")
			if !ends {
				w.WriteByte('-')
			}
			for line := range strings.SplitSeq(text, "\n") {
				w.WriteByte('\n')
				if line != "" {
					w.WriteString(below + line)
				}
			}
			w.WriteByte('\n')
			return
		}
	}
	w.WriteByte(' ')
	writeFlow(w, v)
	w.WriteByte('\n')
}

// flat tells whether an object is short enough for one line.
func flat(o query.Object) bool {
	for _, m := range o {
		switch v := m.Value.(type) {
		case query.Object, query.List:
			return false
		case query.Text:
			if strings.Contains(string(v), "\n") {
				return false
			}
		}
	}
	return len(query.AppendJSON(nil, o)) <= 100
}

// literal tells whether a text of several lines is the same in a block of YAML.
func literal(text string) bool {
	return strings.Contains(text, "\n") && !strings.HasSuffix(text, "\n\n") && !strings.HasPrefix(text, "\n") && !strings.HasPrefix(text, " ") && !strings.HasPrefix(text, "\t") &&
		!strings.ContainsFunc(text, func(r rune) bool {
			return r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xfeff
		})
}

// writeFlow writes a value in one line: as JSON, which is YAML.
func writeFlow(w *bytes.Buffer, v query.Value) {
	switch v := v.(type) {
	case query.Object:
		w.WriteByte('{')
		for i, m := range v {
			if i > 0 {
				w.WriteString(", ")
			}
			w.WriteString(key(m.Name) + ": ")
			writeFlow(w, m.Value)
		}
		w.WriteByte('}')
	case query.List:
		w.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				w.WriteString(", ")
			}
			writeFlow(w, item)
		}
		w.WriteByte(']')
	case query.Text:
		if plainText.MatchString(string(v)) && !reserved(string(v)) && v != "y" {
			w.WriteString(string(v))
			return
		}
		w.Write(query.AppendJSON(nil, v))
	default:
		w.Write(query.AppendJSON(nil, v))
	}
}
