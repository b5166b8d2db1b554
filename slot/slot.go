// Package slot owns values that come later. What is planned for one question
// is used for the next, which differs in its values only: a slot stands where a
// value was, and a Term for a text that follows from it, such as the argument of a
// statement. Whoever asks a term for its text, or for something about it, leaves a
// guard: what was made then holds for those values only that give the same answer
// (partial evaluation with guards, as tracing compilers do it). So nothing has to
// know which values matter: looking at one is what makes it matter.
//
// Once sealed, slots have forgotten every text that nobody looked at, and refuse to
// tell it: no value of who asked first is found in what others use.
package slot

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Inputs are the texts of an operation's slots, by number.
type Inputs []string

// Step makes a text of another one, and possibly of other inputs, or refuses it. It
// depends on nothing else.
type Step func(text string, in Inputs) (string, error)

// Slots are those of one operation, while it is planned. They are not for
// concurrent use until they are sealed.
type Slots struct {
	in     Inputs
	terms  []*Term
	byName map[string]*Term
	guards []guard
	asked  map[string]bool // names of guards
	steps  int             // that are being made
	sealed bool
}

// New makes slots with the values that are there now.
func New(in Inputs) *Slots {
	return &Slots{in: in, byName: make(map[string]*Term), asked: make(map[string]bool)}
}

// Term is a text that follows from a slot, or from another term.
type Term struct {
	of     *Slots
	number int
	input  int   // of a slot itself
	from   *Term // else
	step   Step
	name   string // equal for equal terms of the same slots
	text   string // now; forgotten when sealed, unless somebody looked
	looked bool
}

// At is the term of a slot's own text.
func (s *Slots) At(input int) *Term {
	return s.term("$"+strconv.Itoa(input), &Term{input: input, text: s.in[input]})
}

func (s *Slots) term(name string, t *Term) *Term {
	if known, ok := s.byName[name]; ok {
		return known
	}
	t.of, t.number, t.name = s, len(s.terms), name
	s.terms, s.byName[name] = append(s.terms, t), t
	return t
}

// Then is the term of what a step makes of this one's text, by a name that tells
// the step from all others. The error is the step's: who gets it refuses, and what is
// refused is not kept.
func (t *Term) Then(name string, step Step) (*Term, error) {
	t.of.open()
	name = t.name + "|" + name
	if known, ok := t.of.byName[name]; ok {
		return known, nil
	}
	t.of.steps++
	text, err := step(t.text, t.of.in)
	t.of.steps--
	if err != nil {
		return nil, err
	}
	return t.of.term(name, &Term{from: t, step: step, text: text}), nil
}

// Number tells the terms of an operation apart. It is the place of the term's
// text among those that Bind returns.
func (t *Term) Number() int { return t.number }

// Text is the term's text. What is made of it holds for this text only.
func (t *Term) Text() string {
	if !t.looked {
		t.text = strings.Clone(t.text) // it is kept, and may be a part of a long document
		t.of.observe(guard{term: t, name: t.name}, t.text)
		t.looked = true
	}
	return t.text
}

// Looked tells whether what is made holds for one text of the term only.
func (t *Term) Looked() bool { return t.looked }

// Says is what a function says of the text: what is made of it holds for those
// texts of which it says the same. The name tells it from other functions.
func (t *Term) Says(name string, about func(text string) string) string {
	if t.looked {
		return about(t.text)
	}
	t.of.open()
	said := strings.Clone(about(t.text))
	t.of.observe(guard{term: t, name: t.name + "?" + name, about: about}, said)
	return said
}

// guard is a question about a term whose answer something was made by.
type guard struct {
	term  *Term
	name  string
	about func(text string) string // nil: what the text is
	said  string
}

func (s *Slots) observe(g guard, said string) {
	s.open()
	if s.asked[g.name] {
		return
	}
	s.asked[g.name] = true
	g.said = said
	s.guards = append(s.guards, g)
}

// Guarded tells whether something was made by what follows from a slot.
func (s *Slots) Guarded(input int) bool {
	return slices.ContainsFunc(s.guards, func(g guard) bool {
		t := g.term
		for t.from != nil {
			t = t.from
		}
		return t.input == input
	})
}

// open stops whoever would look into what others use already.
func (s *Slots) open() {
	if s.sealed {
		panic("slot: a value is looked at that was left open when its plan was made")
	}
}

// Seal ends the planning: what nobody looked at is forgotten.
func (s *Slots) Seal() {
	s.sealed, s.in, s.byName, s.asked = true, nil, nil, nil
	for _, t := range s.terms {
		if t.name = ""; !t.looked {
			t.text = ""
		}
	}
}

// Bind returns the texts of all terms for other inputs, by number. It is false for
// inputs that cannot be used.
func (s *Slots) Bind(in Inputs) ([]string, bool) { return s.BindTold(in, nil) }

// BindTold is Bind where the slots' guards, or the same of others, have been asked already: what
// these were told is not made again.
func (s *Slots) BindTold(in Inputs, told Told) ([]string, bool) {
	texts := make([]string, len(s.terms))
	for i, t := range s.terms {
		if t.from == nil {
			texts[i] = in[t.input]
			continue
		}
		if at := slices.IndexFunc(s.guards[:len(told)], func(g guard) bool { return g.term == t }); at >= 0 {
			texts[i] = told[at]
			continue
		}
		var err error
		if texts[i], err = t.step(texts[t.from.number], in); err != nil {
			return nil, false
		}
	}
	return texts, true
}

// Of is the term's text for other inputs, for whoever binds what was made, and for steps,
// which are made again for each of them. While something is made, nobody else may look: it
// would hold for these inputs, and nobody would know.
func (t *Term) Of(in Inputs) (string, error) {
	if t.of != nil && !t.of.sealed && t.of.steps == 0 {
		panic("slot: a value is looked at without a guard while its plan is made")
	}
	if t.from == nil {
		return in[t.input], nil
	}
	text, err := t.from.Of(in)
	if err != nil {
		return "", err
	}
	return t.step(text, in)
}

// Guards are the questions that something was made by, in the order in which they
// were asked. As the next one follows from the answers before, whoever gives the
// same answers to all of them would be made the same.
type Guards struct {
	asked []guard
	terms []*Term // these questions', and what they follow from, which comes before them
}

// Guards are those of the slots. They hold no text.
func (s *Slots) Guards() Guards {
	out, bare := Guards{asked: make([]guard, len(s.guards))}, make(map[*Term]*Term)
	for i, g := range s.guards {
		out.asked[i] = guard{term: out.bare(g.term, bare), name: g.name, about: g.about}
	}
	return out
}

// bare is how a term is computed, without what was computed.
func (g *Guards) bare(t *Term, known map[*Term]*Term) *Term {
	if out, ok := known[t]; ok {
		return out
	}
	out := &Term{input: t.input, step: t.step}
	if t.from != nil {
		out.from = g.bare(t.from, known)
	}
	out.number = len(g.terms)
	g.terms, known[t] = append(g.terms, out), out
	return out
}

// Len is how many there are.
func (g Guards) Len() int { return len(g.asked) }

// Same tells guards that ask the same.
func (g Guards) Same(o Guards) bool {
	return slices.EqualFunc(g.asked, o.asked, func(a, b guard) bool { return a.name == b.name })
}

// Told are the texts that guards were asked about, in their order.
type Told []string

// Said are the answers that the slots' own values gave.
func (s *Slots) Said() string {
	var b []byte
	for _, g := range s.guards {
		b = appendSaid(b, g.name, g.said)
	}
	return string(b)
}

// Answers are those of other inputs, as Said has them, and what they were told of; false: something
// cannot be used of them. Each term is computed once, however many follow from it.
func (g Guards) Answers(dst []byte, in Inputs) ([]byte, Told, bool) {
	texts := make([]string, len(g.terms), len(g.terms)+len(g.asked))
	for i, t := range g.terms {
		if t.from == nil {
			texts[i] = in[t.input]
			continue
		}
		var err error
		if texts[i], err = t.step(texts[t.from.number], in); err != nil {
			return dst, nil, false
		}
	}
	for _, one := range g.asked {
		said := texts[one.term.number]
		texts = append(texts, said)
		if one.about != nil {
			said = one.about(said)
		}
		dst = appendSaid(dst, one.name, said)
	}
	return dst, Told(texts[len(g.terms):]), true
}

// appendSaid begins each part with its length, so that none runs into the next.
func appendSaid(dst []byte, name, said string) []byte {
	for _, s := range [...]string{name, said} {
		dst = append(append(strconv.AppendInt(dst, int64(len(s)), 10), ':'), s...)
	}
	return dst
}

var termSize, guardSize = int(reflect.TypeFor[Term]().Size()), int(reflect.TypeFor[guard]().Size())

// Size is about how many bytes the terms and guards take in memory when they are
// sealed.
func (s *Slots) Size() int {
	n := 256
	for _, t := range s.terms {
		if n += termSize + 16; t.looked {
			n += len(t.text)
		}
	}
	for _, g := range s.guards {
		n += guardSize + len(g.name) + len(g.said)
	}
	return n
}
