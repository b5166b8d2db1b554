package sqlgen

import (
	"strconv"

	"usher/value"
)

// MaxArgs is how many arguments one statement may have. PostgreSQL's protocol
// counts them in 16 bits; what one engine cannot be asked, none is.
const MaxArgs = 1<<16 - 1

// arguments are the values bound to a statement, each once for equal texts of
// one type. Few are compared one by one, many are found by a map: what looking
// for one costs does not grow with how many there are.
type arguments struct {
	texts []string
	casts []string
	at    map[bound]int // of those from the start; nil while they are few
}

type bound struct{ text, cast string }

// fewArguments are found faster without a map.
const fewArguments = 16

// index is the place of an argument, which is added when it is not there.
func (a *arguments) index(text, cast string) int {
	if a.at == nil {
		for i := range a.texts {
			if a.texts[i] == text && a.casts[i] == cast {
				return i
			}
		}
	} else if i, ok := a.at[bound{text, cast}]; ok {
		return i
	}
	i := len(a.texts)
	a.texts, a.casts = append(a.texts, text), append(a.casts, cast)
	switch {
	case a.at != nil:
		a.at[bound{text, cast}] = i
	case len(a.texts) > fewArguments:
		a.at = make(map[bound]int, 4*fewArguments)
		for j := range a.texts {
			a.at[bound{a.texts[j], a.casts[j]}] = j
		}
	}
	return i
}

// arg binds a value, once for equal values of one type, and returns its typed
// placeholder.
func (w *writer) arg(v value.Value, native string) string {
	return w.bind(argText(v), func(n string) string { return w.d.Arg(n, v, native) })
}

func (w *writer) bind(text string, cast func(n string) string) string {
	i := w.args.index(text, cast("$"))
	return cast("$" + strconv.Itoa(w.parents+i+1))
}
