package sqlgen

import (
	"strconv"

	"usher/query"
	"usher/slot"
	"usher/value"
)

// MaxArgs is how many arguments one statement may have. PostgreSQL's protocol
// counts them in 16 bits; what one engine cannot be asked, none is.
const MaxArgs = 1<<16 - 1

// arguments are the values bound to a statement, each once for equal texts of
// one type. Few are compared one by one, many are found by a map: what looking
// for one costs does not grow with how many there are.
type arguments struct {
	Args
	casts []string
	at    map[bound]int // of those from the start; nil while they are few
}

type bound struct {
	text, cast string
	term       int
}

// Args are the arguments of a statement, in the order of their placeholders. Some
// come later: they are the texts of terms.
type Args struct {
	texts []string
	terms []int // beside texts: 1 + the number of the term, or 0; nil: there are none
}

// Len is the number of arguments.
func (a Args) Len() int { return len(a.texts) }

// Later tells whether some arguments are the texts of terms.
func (a Args) Later() bool { return a.terms != nil }

// Bind are the arguments with the texts of all terms, as slot.Slots.Bind returns
// them. Nothing else makes arguments of terms, and none without their texts.
func (a Args) Bind(texts []string) []string {
	if a.terms == nil {
		return a.texts
	}
	out := make([]string, len(a.texts))
	for i, term := range a.terms {
		if out[i] = a.texts[i]; term > 0 {
			out[i] = texts[term-1]
		}
	}
	return out
}

// Size is about how many bytes the arguments take in memory.
func (a Args) Size() int {
	n := 8 * len(a.terms)
	for _, text := range a.texts {
		n += len(text) + 16
	}
	return n
}

// fewArguments are found faster without a map.
const fewArguments = 16

// index is the place of an argument, which is added when it is not there.
func (a *arguments) index(b bound) int {
	if a.at == nil {
		for i := range a.texts {
			if a.bound(i) == b {
				return i
			}
		}
	} else if i, ok := a.at[b]; ok {
		return i
	}
	i := len(a.texts)
	a.texts, a.casts = append(a.texts, b.text), append(a.casts, b.cast)
	if b.term > 0 && a.terms == nil {
		a.terms = make([]int, i, i+1)
	}
	if a.terms != nil {
		a.terms = append(a.terms, b.term)
	}
	switch {
	case a.at != nil:
		a.at[b] = i
	case len(a.texts) > fewArguments:
		a.at = make(map[bound]int, 4*fewArguments)
		for j := range a.texts {
			a.at[a.bound(j)] = j
		}
	}
	return i
}

func (a *arguments) bound(i int) bound {
	b := bound{text: a.texts[i], cast: a.casts[i]}
	if a.terms != nil {
		b.term = a.terms[i]
	}
	return b
}

// arg binds a value, once for equal values of one type, and returns its typed
// placeholder.
func (w *writer) arg(v value.Value, native string) string {
	return w.bindValue(v, func(n string) string { return w.d.Arg(n, v, native) })
}

// bindValue binds a value's text, now or later.
func (w *writer) bindValue(v value.Value, cast func(n string) string) string {
	typed := cast("$")
	if term, later := v.Term(); later {
		return w.place(bound{cast: typed, term: term.Number() + 1}, cast)
	}
	return w.place(bound{text: argText(v), cast: typed}, cast)
}

// list binds a list as one argument, now or later.
func (w *writer) list(v value.Value) string {
	if term, later := v.Term(); later {
		as, err := term.Then("a list for "+w.d.TextType(), func(joined string, _ slot.Inputs) (string, error) {
			return w.d.List(query.SplitTexts(joined)), nil
		})
		if err == nil {
			return w.place(bound{cast: "list", term: as.Number() + 1}, asItStands)
		}
	}
	return w.bind(w.d.List(query.SplitTexts(v.Text())), asItStands)
}

func (w *writer) bind(text string, cast func(n string) string) string {
	return w.place(bound{text: text, cast: cast("$")}, cast)
}

func (w *writer) place(b bound, cast func(n string) string) string {
	return cast("$" + strconv.Itoa(w.parents+w.args.index(b)+1))
}
