package transport

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"usher/query"
)

// row reads the JSON of a row, in which nothing is wrong: whoever found it has looked through it. All texts of
// the row share one.
type row struct {
	text string
	at   int
	deep bool // it is nested deeper than it may be
}

// readRow reads an object; false: it is nested deeper than that. There is room for so many members from the start.
func readRow(text string, nesting, room int) (query.Object, bool) {
	r := row{text: text}
	if nesting == 0 {
		return nil, false
	}
	object := r.object(nesting-1, room)
	return object, !r.deep
}

// next is the byte that is read next, behind blanks, commas and colons: where they stand is known to be right.
func (r *row) next() byte {
	for {
		switch b := r.text[r.at]; b {
		case ' ', '\t', '\r', '\n', ',', ':':
			r.at++
		default:
			return b
		}
	}
}

func (r *row) value(nesting int) query.Value {
	b := r.next()
	if (b == '{' || b == '[') && nesting == 0 {
		r.deep = true
	}
	switch {
	case r.deep:
		return nil
	case b == '{':
		return r.object(nesting-1, 0)
	case b == '[':
		return r.list(nesting - 1)
	case b == '"':
		return query.Text(r.string())
	}
	switch word := r.word(); word {
	case "null":
		return query.Null{}
	case "true", "false":
		return query.Bool(word == "true")
	default:
		return query.Number(word)
	}
}

func (r *row) object(nesting, room int) query.Object {
	object := make(query.Object, 0, room)
	for r.at++; !r.deep && r.next() != '}'; {
		name := r.string()
		object = append(object, query.Member{Name: name, Value: r.value(nesting)})
	}
	r.at++
	return ordered(object)
}

func (r *row) list(nesting int) query.List {
	list := query.List{}
	for r.at++; !r.deep && r.next() != ']'; {
		list = append(list, r.value(nesting))
	}
	r.at++
	return list
}

// word is what ends where something else begins: a number, true, false or null.
func (r *row) word() string {
	end := strings.IndexAny(r.text[r.at:], ",]} \t\r\n")
	word := r.text[r.at : r.at+end]
	r.at += end
	return word
}

// string reads a text, which mostly stands for itself.
func (r *row) string() string {
	rest := r.text[r.at+1:]
	end := strings.IndexByte(rest, '"')
	if strings.IndexByte(rest[:end], '\\') < 0 {
		r.at += end + 2
		return rest[:end]
	}
	for end = 0; rest[end] != '"'; end++ {
		if rest[end] == '\\' {
			end++
		}
	}
	unquoted, _ := jsontext.AppendUnquote(nil, r.text[r.at:r.at+end+2])
	r.at += end + 2
	return string(unquoted)
}
