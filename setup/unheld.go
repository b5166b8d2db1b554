package setup

import (
	"cmp"
	"slices"
	"strings"

	"usher/catalog"
	"usher/value"
)

// Pointer is a column that looks like a reference to rows, and that no foreign key holds.
type Pointer struct {
	Column string
	To     string // TableKey of the table that it is called like; empty: nobody knows which
	Key    string // the column there to whose values it leads; empty: nobody knows
	Kind   string // the column that says which table a row leads to, of those that lead to several; empty: there is none
}

// Pointing knows of a source's tables which columns look like references.
type Pointing struct {
	tables []*table
	byKey  map[string]*table
	led    map[string][]leading // by the table that they lead to; made when somebody asks
}

// NewPointing makes a Pointing of the tables that a source was found to hold, by TableKey.
func NewPointing(tables map[string]catalog.Table) *Pointing {
	p := &Pointing{byKey: make(map[string]*table, len(tables))}
	for key, t := range tables {
		if t.Unread.All() {
			continue
		}
		p.byKey[key] = &table{Table: t, view: t.View}
		if !t.View { // whose rows are those of tables
			p.tables = append(p.tables, p.byKey[key])
		}
	}
	slices.SortFunc(p.tables, func(a, b *table) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Schema, b.Schema)) })
	return p
}

// Texts that are called so are rather somebody's id than a name.
var assigned = strings.Fields("assignee assigner reviewer approver")

// Whose ids stand in texts that are called after them: stripe_subscription_id is none of subscriptions here.
var vendors = strings.Fields(`
	stripe paypal braintree adyen paddle chargebee recurly klarna mollie plaid github gitlab bitbucket google facebook instagram twitter linkedin apple microsoft azure aws slack discord telegram whatsapp
	twilio sendgrid mailgun mailchimp hubspot salesforce zendesk intercom shopify woocommerce magento xero quickbooks datev auth0 okta firebase cognito keycloak jira trello asana zoom`)

// theirs tells whether a text is called like an id of somebody else's system.
func theirs(c catalog.TableColumn, parts []string) bool {
	return c.Type.Text() && len(parts) > 1 && slices.Contains(vendors, parts[0]) && slices.Contains(pointers, parts[len(parts)-1])
}

// What stands before "of" in what leads to no row: a kind_of, an as_of.
var measured = append(strings.Fields("as out number count total"), general...)

// Leading are the columns, with their tables, that look like references to rows of a table by a column of it, or of which
// nobody knows by which, and that no foreign key holds.
func (p *Pointing) Leading(key, column string) []string {
	if p.led == nil {
		p.led = make(map[string][]leading)
		for from := range p.byKey {
			for _, c := range p.Unheld(from) {
				p.led[c.To] = append(p.led[c.To], leading{from, c})
			}
		}
	}
	var out []string
	for _, l := range p.led[key] {
		if l.Key == column || l.Key == "" {
			out = append(out, l.from+"."+l.Column)
		}
	}
	slices.Sort(out)
	return out
}

// leading is a column of a table that looks like a reference.
type leading struct {
	from string
	Pointer
}

// Unheld are the columns of a table, by TableKey, that look like references and are held by no foreign key. Where only the
// end of a name tells, the values have to be such as keys are here: texts that others have made are often called ids, too.
func (p *Pointing) Unheld(key string) (out []Pointer) {
	t := p.byKey[key]
	if t == nil {
		return nil
	}
	for _, c := range t.Columns {
		if t.references(c.Name) || len(words(c.Name)) == 1 && slices.Contains(pointers, plain(c.Name)) { // which is its own
			continue
		}
		if found, ok := t.unheld(c, p.tables); ok {
			out = append(out, found)
		}
	}
	return out
}

func (t *table) unheld(c catalog.TableColumn, tables []*table) (found Pointer, ok bool) {
	one, parts := item(c)
	if len(parts) == 0 || theirs(one, parts) {
		return found, false
	}
	found = Pointer{Column: c.Name, Kind: t.kindOf(c.Name)}
	if found.Kind != "" {
		return found, true
	}
	last := parts[len(parts)-1]
	to, points := t.pointsTo(c, tables)
	if !points && c.Type.List {
		to, points = t.pointsTo(one, tables)
	}
	if (one.Type.Text() || one.Type.Scalar == value.JSON) && !slices.Contains(pointers, last) { // a prompt is its text, though there are prompts
		to, points = nil, one.Type.Text() && slices.Contains(assigned, last)
	}
	var key catalog.TableColumn
	if to == nil {
		to, key = t.keyCalled(one, parts, tables)
	}
	if to == nil {
		to = t.withoutGap(one, parts, tables)
	}
	if to == nil && (points && t.pointsToItself(c) || t.anotherOf(one, parts)) {
		to = t
	}
	switch {
	case to != nil:
		found.To = catalog.TableKey(to.Schema, to.Name)
		if key.Name == "" {
			key, _ = to.soleKey()
		}
		if !c.Type.List && c.Type.Scalar != value.JSON {
			found.Key = key.Name
		}
	case !points || one.Type.Scalar == value.JSON:
		return found, false
	case one.Type.Scalar == value.UUID, one.Type.Exact() && slices.Contains(somebody, last): // which are no names
	default:
		return found, t.takes(one)
	}
	return found, true
}

// item is a column as one value of it is called, with the words of that name: label_id, of the list label_ids.
func item(c catalog.TableColumn) (catalog.TableColumn, []string) {
	parts := words(c.Name)
	if c.Type.List && len(parts) > 0 {
		parts[len(parts)-1] = singular(parts[len(parts)-1])
		c.Name, c.Type = strings.Join(parts, "_"), c.Type.Elem()
	}
	return c, parts
}

// keyCalled is keyedBy, of a key that may be one within a tenant.
func (t *table) keyCalled(c catalog.TableColumn, parts []string, tables []*table) (*table, catalog.TableColumn) {
	if n := len(parts) - 1; n == 0 || parts[n] != "key" || !identifies(c.Type) {
		return nil, catalog.TableColumn{}
	}
	return t.keyedBy(parts, tables, func(to *table, key catalog.TableColumn) bool {
		return (key.Type.Scalar == c.Type.Scalar || key.Type.Exact() && c.Type.Exact()) &&
			slices.ContainsFunc(to.UniqueSets(), func(set []string) bool { return len(set) <= 2 && slices.Contains(set, key.Name) })
	})
}

// withoutGap is the table that a column like customerid leads to: none but one that is called so as a whole.
func (t *table) withoutGap(c catalog.TableColumn, parts []string, tables []*table) *table {
	n := len(parts) - 1
	if !identifies(c.Type) {
		return nil
	}
	for _, end := range pointers {
		stem, ok := strings.CutSuffix(parts[n], end)
		if !ok || stem == "" || slices.Equal(t.PrimaryKey, []string{c.Name}) && called([]string{stem}, t) {
			continue
		}
		thing := append(slices.Clone(parts[:n]), stem)
		for i := range thing {
			if to := t.keyedLike(thing[i:], c, tables); to != nil {
				return to
			}
		}
	}
	return nil
}

// anotherOf tells whether a column is called like a reference to another row of its table by what that is to this one, as
// duplicate_of is.
func (t *table) anotherOf(c catalog.TableColumn, parts []string) bool {
	n := len(parts) - 1
	return n > 0 && parts[n] == "of" && !slices.Contains(measured, parts[n-1]) && c.Type.Scalar != value.JSON && identifies(c.Type) && t.takes(c)
}

// pointsToItself tells whether a column is called like a reference to another row of its table, as previous_order_id of
// orders is.
func (t *table) pointsToItself(c catalog.TableColumn) bool {
	thing := words(c.Name)
	thing = thing[:len(thing)-1]
	if slices.Equal(thing, []string{"parent"}) {
		return t.takes(c)
	}
	for i := range thing {
		if isPlural(strings.Join(thing[i:], ""), t.endings()[0]) {
			return t.takes(c)
		}
	}
	return false
}
