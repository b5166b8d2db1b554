package plan

import (
	"errors"
	"fmt"
	"time"

	"usher/catalog"
	"usher/principal"
	"usher/query"
	"usher/slot"
	"usher/value"
)

// Changes are prepared as queries are: what is written, which rows it is written to and who
// writes come later, and what a plan was made by are the guards of its slots. A change that is bound hands
// out values; its levels stay as they were planned, and the texts of all terms are the arguments of
// their statements. Planned for each request is what compares the values of several rows with each other.

// ErrEach is the error of a change that is planned for each request.
var ErrEach = errors.New("plan: this change is planned for each request")

// PrepareChange makes the plan of a change for all who are alike, as Prepare does of a
// request. Nothing executes it before it is bound.
func PrepareChange(r query.Change, cat *catalog.Catalog, who principal.Slotted, now time.Time, later *slot.Term) (Change, error) {
	if _, named := arguments(r.Field.Args).get(TenantArgument); who.AllTenants || named {
		return Change{}, ErrEach
	}
	c, err := buildChange(r, cat, who, changeOf{}, now, later)
	switch {
	case err != nil:
		return Change{}, err
	case c.Target().Kind == catalog.API: // its calls are made of values
		return Change{}, ErrEach
	}
	c.body.open = true
	return c, nil
}

// bound is for whom a prepared change is made, and what comes later in it.
type bound struct {
	texts    []string
	identity Identity
}

// Bind is a prepared change for who asks now, with the texts of all terms, as
// slot.Slots.Bind returns them. One that was not prepared is nobody else's.
func (c Change) Bind(p principal.Principal, texts []string) Change {
	if !c.Valid() || !c.body.open {
		return Change{}
	}
	c.bound = &bound{texts: texts, identity: Identity{tenant: p.Tenant, key: p.TenantKey, subject: p.Subject}}
	return c
}

// Prepared tells a change that was prepared, Bound that it is bound: one without the other is
// executed by nobody.
func (c Change) Prepared() bool { return c.body.open }

// Bound tells a change that is bound.
func (c Change) Bound() bool { return c.bound != nil }

// Text is that of a term of a change that is bound, by its number.
func (c Change) Text(term int) string { return c.bound.texts[term] }

// texts are those of all terms of a change that is bound; nil: nothing comes later.
func (c Change) texts() []string {
	if c.bound == nil {
		return nil
	}
	return c.bound.texts
}

// inner is a change that belongs to this one: it is bound with it.
func (c Change) inner(of Change) Change {
	of.bound = c.bound
	return of
}

// in is what is given, with the texts of the terms of a change that is bound.
func (g Given) in(texts []string) Given {
	if texts == nil {
		return g
	}
	if _, open := g.value.Term(); g.list && open {
		all := g.value.In(texts)
		for _, text := range query.SplitTexts(all.Text()) {
			g.items = append(g.items, value.Bound(all.Type().Elem(), value.Cell{Kind: value.KindText, Text: []byte(text)}))
		}
		g.value = value.Value{}
		return g
	}
	g.value = g.value.In(texts)
	if len(g.items) > 0 {
		items := make([]value.Value, len(g.items))
		for i, item := range g.items {
			items[i] = item.In(texts)
		}
		g.items = items
	}
	return g
}

// look notes that what is planned goes by values: each request has its own.
func (cb *changeBuilder) look() error {
	if cb.who.Tenant != nil {
		return ErrEach
	}
	return nil
}

// jsonGiven reads JSON that is written to a place, and of which a part comes later.
func jsonGiven(t value.Type, v query.Value, first *slot.Term, place string) (value.Value, error) {
	term, err := first.Then("JSON of "+place, func(_ string, in slot.Inputs) (string, error) {
		now, err := query.Filled(v, in)
		if err != nil {
			return "", err
		}
		read, err := typedNow(t, now)
		return read.Text(), err
	})
	return value.Later(t, term), err
}

func tooLong(items int) error {
	return fmt.Errorf("a list of %d values is too long; at most %d are allowed", items, maxItems)
}

// listGiven reads a list that is written and comes later as one.
func listGiven(t value.Type, kept value.Kept, list query.SlotList) (value.Value, error) {
	given := asText
	if list.Number {
		given = asNumber
	}
	term, err := list.Term.Then(fmt.Sprintf("written as %s(%d,%d), %s, numbers %t", t.Scalar, t.Precision, t.Scale, kept, list.Number), func(joined string, _ slot.Inputs) (string, error) {
		texts := query.SplitTexts(joined)
		if len(texts) > maxItems {
			return "", tooLong(len(texts))
		}
		for i, text := range texts {
			v, err := fitting(t, kept, given(text))
			if err != nil {
				return "", err
			}
			texts[i] = v.Text()
		}
		return query.JoinTexts(texts), nil
	})
	return value.LaterList(t, term), err
}

// Size is about how many bytes the change takes in memory.
func (c Change) Size() int {
	n := sizeOf[change]() + c.body.chosen.size() + c.body.locked.size() + c.body.update.level.size() + c.body.remove.size() + c.body.there.size() + c.body.upsert.level.size()
	for _, list := range [][]Level{c.body.held, c.body.upsert.held} {
		for _, l := range list {
			n += l.size()
		}
	}
	for _, list := range [][]Keeper{c.body.keepers, c.body.leftovers} {
		for _, k := range list {
			n += k.level.size()
		}
	}
	for _, r := range c.body.refs {
		n += r.level.size() + r.lock.size()
	}
	for i := range c.Checks() {
		n += c.Check(i).Level().size()
	}
	for i := range c.Answers() {
		n += c.Answer(i).Size()
	}
	for _, into := range c.body.inserts {
		for _, list := range into.values {
			n += list.len() * sizeOf[Given]()
		}
	}
	for i := range c.Nested() {
		n += c.NestedAt(i).Size()
	}
	return n
}
