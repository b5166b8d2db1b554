package setup

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

var graphqlName = regexp.MustCompile(`^[A-Za-z][_0-9A-Za-z]*$`)

// datasetName is the table's own name where GraphQL takes it, and another one
// where it would be served under a name that is taken.
func datasetName(table string, served func(string) string, taken map[string]bool) string {
	name := table
	if !graphqlName.MatchString(name) {
		name = strings.Join(words(table), "_")
		if !graphqlName.MatchString(name) {
			name = strings.TrimSuffix("table_"+name, "_")
		}
	}
	for base, n := name, 2; taken[served(name)]; n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	return name
}

// maxTypes is how many names are tried for a type.
const maxTypes = 3

// rowType is a name for the type of a dataset's rows where its own, and the
// others before the nth, are taken.
func rowType(dataset string, n int) string {
	name := strings.ToUpper(dataset[:1]) + dataset[1:] + "Row"
	if n > 1 {
		name += strconv.Itoa(n)
	}
	return name
}

// words are the parts of a name in lower case: order_item, orderItem and
// "Order Item" have the same.
func words(name string) []string {
	var b strings.Builder
	before := ' '
	for _, r := range name {
		switch {
		case r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r):
			b.WriteByte(' ')
		case unicode.IsUpper(r) && !unicode.IsUpper(before):
			b.WriteByte(' ')
			fallthrough
		default:
			b.WriteRune(unicode.ToLower(r))
		}
		before = r
	}
	return strings.Fields(b.String())
}

// rows are the words of a table's name, each in the singular.
func rows(table string) []string {
	out := parted(table)
	for i, word := range out {
		if !spelled[word] {
			out[i] = singular(word)
		}
	}
	return out
}

// plain is a name without what spellings differ in.
func plain(name string) string { return strings.Join(words(name), "") }

// refersTo tells whether a column is called like a reference to the table:
// order_id, of orders.
func refersTo(column, table string) bool {
	parts := words(column)
	if len(parts) < 2 || parts[len(parts)-1] != "id" {
		return false
	}
	return isPlural(strings.Join(parts[:len(parts)-1], ""), plain(table))
}

// isPlural tells whether the table's name is the thing's, in either number.
func isPlural(thing, table string) bool {
	return table == thing || table == thing+"s" || table == thing+"es" || table == strings.TrimSuffix(thing, "y")+"ies"
}

// namedAfter tells whether a table is called after what another one holds, as
// order_details is after orders and salesorderdetail after salesorderheader.
func namedAfter(table, other string) bool {
	thing := strings.TrimSuffix(singular(plain(other)), "header")
	return len(thing) > 2 && strings.Contains(plain(table), thing)
}

// singular is one of what a table's name says, or the name itself.
func singular(name string) string {
	for _, s := range []struct{ plural, one string }{
		{"ies", "y"}, {"sses", "ss"}, {"tuses", "tus"}, {"xes", "x"}, {"ches", "ch"}, {"shes", "sh"}, {"ss", "ss"}, {"us", "us"}, {"is", "is"}, {"s", ""},
	} {
		if stem, ok := strings.CutSuffix(name, s.plural); ok && stem != "" {
			return stem + s.one
		}
	}
	return name
}

// Referred is what the name of a column calls the row that it leads to, or that name.
func Referred(column string) string {
	for _, end := range []string{"_id", "Id", "ID", "_uid", "Uid", "UID"} {
		column = strings.TrimSuffix(column, end)
	}
	return column
}
