package setup

import (
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
	"usher/value"
)

// What is everybody's has to show that it is: a table is common if it is called after facts, as countries and currencies are,
// or if it lists what something may be, as kinds and states do, and rows of tenants reference it. No list of names says what
// people keep under it: doctors, vehicles and recipes are names with a number as kinds are, and each is somebody's. What only
// lacks a tenant may be queues, settings, keys and messages of all, and what has amounts, dates and descriptions may be contracts.

// What text of reference data is called, by the last word of its name: a name, or something as short.
//
//nolint:misspell // as it is spelled in some countries
var naming = strings.Fields(`
	name title label code symbol description abbreviation abbr slug iso iso2 iso3 iata icao alpha alpha2 alpha3 unit locale language currency country region
	continent city timezone zone tz color colour icon type kind class category status state level plural singular caption native`)

// Words of tables that programs keep for themselves, or that say how something is set up. The last word of a table's
// name says of what its rows are.
var machinery = strings.Fields(`
	setting config configuration option preference param parameter variable property secret key credential token queue job task worker message lock locker cache counter telemetry
	metric stat statistic session audit history outbox inbox lease heartbeat coordinator peer tunnel limit bus hook webhook migration backup archive prompt usage value`)

// Words of tables of whom, or what, rows may belong to above the tenant, and of what people have named for themselves.
//
//nolint:misspell // as it is spelled in some countries
var holders = strings.Fields(`
	tenant org organization organisation workspace account company customer client merchant shop store site team distributor project namespace group department division branch office location
	reseller partner vendor supplier agency agent brand franchise school class household family owner portfolio folder collection list board channel room campaign tag label keyword topic segment audience
	place domain host url link device machine node server database repository bucket image picture photo avatar content page article note text`)

// Tables of facts that are the same for everybody, whoever's rows reference them, and of what something may be: there is no
// other word by which a table comes to be common. Regions, categories and units are what each makes of them.
var (
	facts = phrases("country, currency, language, locale, timezone, time zone, continent, airport, nationality")
	kinds = phrases("type, kind, status, state, level, priority, severity, gender, weekday, month, unit of measure, unit of measurement, measurement unit, measure unit, uom")
)

// What programs and their schemas put before the name of a list that they only look things up in: dim_country, lkp_currency.
var looking = strings.Fields("ref reference lookup lkp lk lu dim dict dictionary tbl tb md master core common base app public shared global world iso geo static standard std system sys spoken")

// What tells of rows, besides times, that people make or change some of them: flags of those that came with the program, and
// the versions by which one change does not undo another.
//
//nolint:misspell // as it is spelled in some countries
var making = strings.Fields("custom customised customized system builtin default editable lock version revision")

// What numbers and times of a list of names are about: its order, by the last word of their names, and when a row was
// made, by any of them. Others, as amounts and dates, say something of what a row is.
var (
	ordering = strings.Fields("order position rank sort sorting sequence seq ordinal priority weight index level depth version")
	stamping = strings.Fields("created updated modified inserted deleted changed added create update change")
)

// saying is the first column that may say something of somebody, though it is called like what names and lists have: a
// number, a time or a text of any length; empty if there is none.
func (t *table) saying() string {
	for _, c := range t.Columns {
		word := last(c.Name)
		switch {
		case slices.Contains(t.PrimaryKey, c.Name), t.references(c.Name):
		case c.Type.Exact(), c.Type.Scalar == value.Float:
			if !slices.Contains(ordering, word) {
				return c.Name
			}
		case slices.Contains([]value.Scalar{value.Date, value.Time, value.Timestamp, value.LocalTimestamp, value.Interval}, c.Type.Scalar):
			if !slices.ContainsFunc(words(c.Name), func(w string) bool { return slices.Contains(stamping, w) }) {
				return c.Name
			}
		case c.Type.Text() && (word == "description" || word == "caption"):
			return c.Name
		}
	}
	return ""
}

// made is the first column that tells that people make the table's rows: when one was made or changed, or which were; empty if
// there is none.
func (t *table) made() string {
	for _, c := range t.Columns {
		if slices.ContainsFunc(words(c.Name), func(w string) bool { return slices.Contains(stamping, w) || slices.Contains(making, w) }) {
			return c.Name
		}
	}
	return ""
}

// unlike says why the columns of a table are not those of what is everybody's, or "": the most telling first.
func (t *table) unlike(tables []*table) string {
	if len(t.unread) > 0 {
		return fmt.Sprintf("the account may not read its column %s, so that not all that tells of it is known", t.unread[0])
	}
	var own []catalog.TableColumn // that are served, and lead nowhere
	somewhere := ""
	for _, c := range t.Columns {
		if !c.Supported || t.references(c.Name) { // that is judged by where it leads
			continue
		}
		switch to, points := t.pointsTo(c, tables); {
		case to != nil:
			return fmt.Sprintf("its column %s looks like a reference to %s", c.Name, to.Name)
		case points && somewhere == "":
			somewhere = fmt.Sprintf("its column %s looks like a reference", c.Name)
		}
		own = append(own, c)
	}
	if somewhere != "" {
		return somewhere
	}
	key := func(c catalog.TableColumn) bool { return slices.Contains(t.PrimaryKey, c.Name) }
	for _, why := range []struct {
		text string
		of   func(catalog.TableColumn) bool
	}{
		{"its column %s may hold anything", func(c catalog.TableColumn) bool {
			return c.Type.List || c.Type.Scalar == value.JSON || c.Type.Scalar == value.Bytes || !key(c) && slices.Contains(held, last(c.Name))
		}},
		{"its column %s may hold any text", func(c catalog.TableColumn) bool {
			return c.Type.Text() && !names(c.Name, t) && (!key(c) || !slices.Contains(references, last(c.Name)))
		}},
	} {
		if i := slices.IndexFunc(own, why.of); i >= 0 {
			return fmt.Sprintf(why.text, own[i].Name)
		}
	}
	switch word := last(t.Name); {
	case slices.Contains(machinery, word):
		return fmt.Sprintf("is called like one of what programs keep (%s)", word)
	case slices.Contains(holders, word):
		return fmt.Sprintf("is called like those to whom rows belong, or like what these name for themselves (%s)", word)
	}
	if !slices.ContainsFunc(own, func(c catalog.TableColumn) bool { return c.Type.Text() || c.Type.Scalar == value.Enum }) {
		return "has no name or code that tells what a row is"
	}
	return ""
}

// names tells whether a column of text is called like a name, a code or a description, in whichever language.
func names(column string, t *table) bool {
	parts := words(column)
	n := len(parts)
	return n > 0 && (slices.Contains(naming, singular(parts[n-1])) || slices.Contains(naming, parts[n-1]) ||
		n > 1 && len(parts[n-1]) == 2 && slices.Contains(naming, parts[n-2]) || called(parts, t))
}

// last is the last word of a name, in the singular.
func last(name string) string {
	parts := words(name)
	if len(parts) == 0 {
		return ""
	}
	return singular(parts[len(parts)-1])
}

// everybodys makes those tables common of which all tells that they are everybody's, and leaves out the others.
func everybodys(tables []*table, column string) {
	lacks := "it has no column " + column
	for _, t := range tables {
		if t.open() {
			t.leftOut = t.unfit(tables, column)
		}
	}
	astray(tables, column)
	for _, t := range tables {
		if t.open() {
			if why := t.unlike(tables); why != "" {
				t.leftOut, t.unsure = lacks+", and "+why, true
			}
		}
	}
	astray(tables, column)
	open := slices.DeleteFunc(slices.Clone(tables), func(t *table) bool { return !t.open() })
	lists(open)
	for _, t := range open {
		if why := t.nothingSays(); why != "" {
			t.leftOut, t.unsure = lacks+", and "+why, true
		}
	}
	astray(tables, column)
	for changed := true; changed; {
		changed = false
		for _, t := range open {
			if t.open() && !t.common && (t.fact() || t.referenced()) {
				t.common, changed = true, true
			}
		}
	}
	for _, t := range open {
		if t.open() && !t.common {
			t.leftOut, t.unsure = lacks+", and no foreign key of tenants' rows leads to it, as to countries or kinds", true
		}
	}
}

// lists tells of those tables that they may come to be everybody's once somebody says so, which look like lists and lead to
// such alone.
func lists(tables []*table) {
	for _, t := range tables {
		t.list = t.fact() || t.saying() == ""
	}
	for changed := true; changed; {
		changed = false
		for _, t := range tables {
			if t.list && slices.ContainsFunc(t.ForeignKeys, func(fk catalog.ForeignKey) bool {
				to := find(tables, fk.RefSchema, fk.RefTable, t.Schema)
				return to == nil || !to.list && to != t
			}) {
				t.list, changed = false, true
			}
		}
	}
}

// nothingSays says why nothing but that it looks like a list of names speaks for a table's being everybody's; empty if it is
// one of facts or of kinds.
func (t *table) nothingSays() string {
	switch says := t.saying(); {
	case t.fact():
		return ""
	case says != "" && (t.kind() || t.referenced()):
		return fmt.Sprintf("its column %s may say something of somebody", says)
	case t.kind() && t.made() != "":
		return fmt.Sprintf("its column %s tells that people may have made its rows", t.made())
	case t.kind() && t.pairing() != nil:
		return fmt.Sprintf("rows of %s pair its rows with tenants, who may see those alone", t.pairing().Name)
	case t.kind():
		return ""
	case t.referenced():
		return "nothing but foreign keys of tenants' rows says that it is everybody's, as it would be of countries or kinds: people may have made its rows"
	}
	return "no foreign key of tenants' rows leads to it, as to countries or kinds"
}

// pairing is a table whose rows say which rows of this one a tenant has; nil: there is none.
func (t *table) pairing() *table {
	for _, by := range t.referrers {
		for _, fk := range by.ForeignKeys {
			pair := append([]string{by.tenant}, fk.Columns...)
			if by.tenant != "" && fk.RefTable == t.Name && (fk.RefSchema == t.Schema || fk.RefSchema == "" && by.Schema == t.Schema) &&
				by.always(fk) && by.differsIn(pair) && !by.differsIn(fk.Columns) && !by.differsIn(pair[:1]) && by.onlyPairs(pair) {
				return by
			}
		}
	}
	return nil
}

// onlyPairs tells whether a row says nothing but which belong together, since when, and for short.
func (t *table) onlyPairs(pair []string) bool {
	return !slices.ContainsFunc(t.Columns, func(c catalog.TableColumn) bool {
		return !slices.Contains(pair, c.Name) && !slices.Contains(t.PrimaryKey, c.Name) && c.Type.Scalar != value.Boolean && !slices.Contains(ordering, last(c.Name)) &&
			!slices.ContainsFunc(words(c.Name), func(w string) bool { return slices.Contains(stamping, w) })
	})
}

// astray leaves out what leads to tables that are left out, or are tenants'.
func astray(tables []*table, column string) {
	for changed := true; changed; {
		changed = false
		for _, t := range tables {
			if t.open() {
				t.leftOut, t.unsure = t.leadsAway(tables, column)
				changed = changed || !t.open()
			}
		}
	}
}

// fact tells whether the table is called after facts that are the same for everybody, and no word says whose.
func (t *table) fact() bool {
	parts := rows(t.Name)
	for i := range parts {
		if slices.ContainsFunc(facts, func(fact []string) bool { return slices.Equal(parts[i:], fact) }) {
			return true
		}
		if !slices.Contains(looking, parts[i]) {
			return false
		}
	}
	return false
}

// kind tells whether the table is called after what something may be.
func (t *table) kind() bool { return ends(rows(t.Name), kinds) }

// referenced tells whether rows of tenants, or what is everybody's, lead to the table.
func (t *table) referenced() bool {
	return slices.ContainsFunc(t.referrers, func(by *table) bool { return by != t && by.leftOut == "" && (!by.open() || by.common) })
}
