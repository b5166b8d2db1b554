package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"usher/catalog"
	"usher/setup"
)

// printer tells what init found and what to do next.
type printer struct {
	out           io.Writer
	draft         *setup.Draft
	cat           *catalog.Catalog // as the written configuration has it
	config        string
	keys          foundKeys
	tenant, token string
}

func (p printer) print() {
	p.printf("%s is written.\n\n", p.config)
	holders, all := p.draft.Holders()
	verb := "says"
	if p.draft.Guessed {
		verb = "seems to say"
	}
	p.printf("Tenants   The column %s %s whose a row is; it is in %d of %s.\n", p.draft.Column, verb, holders, count(all, "table"))
	for _, other := range p.draft.Passed {
		p.printf("          It was taken rather than %s.\n", other)
	}
	if p.draft.Guessed {
		p.printf("          If that is wrong, --tenant COLUMN --force starts anew.\n")
	}
	p.registered()
	var tenants, common []string
	for _, d := range p.cat.Datasets {
		if d.Common {
			common = append(common, d.Name)
		} else {
			tenants = append(tenants, d.Name)
		}
	}
	p.names("Confined", tenants)
	if len(common) > 0 {
		p.names("COMMON", common)
		p.printf("          Every tenant sees all rows of these. Is that right?\n")
	}
	if tenantless := p.draft.Tenantless(); len(tenantless) > 0 {
		p.names("Nobody's", tenantless)
		p.printf("          Rows of these whose %s is null are shown to no tenant; see the file.\n", p.draft.Column)
		if below := p.draft.Below(); len(below) > 0 {
			p.printf("          Nor is what belongs to such rows, here:\n")
			p.names("", below)
		}
	}
	for _, o := range p.draft.Owned() {
		p.printf("Owner     %s: of %s, since %s; it might be of %s\n", o.Table, o.Owner, o.Why, strings.Join(o.Others, " or of "))
	}
	for _, t := range p.draft.FoundKeys() {
		p.printf("Key       %s: no constraint says so, but all %d rows differ in %s and none lacks it\n", t.Table, t.Rows, t.Column)
	}
	for _, n := range p.draft.Numbered() {
		p.printf("Renamed   %s is served as %s: the usual name is taken\n", n[0], n[1])
	}
	if secrets := p.draft.Withheld(); len(secrets) > 0 {
		p.names("Withheld", secrets)
		p.printf("          They read like secrets, hold copies of other tables' rows or, in views, read like what is hardly for everybody, and are not served; each is there behind a #, and is served once that is gone.\n")
	}
	p.leftOut()
	p.unread()
	p.next()
}

// maxReasons is how many tables that are left out are told of each with its reason, which the file has, too.
const maxReasons = 12

// maxNames is how many of them are named of a kind.
const maxNames = 60

func (p printer) leftOut() {
	left := p.draft.LeftOut
	if len(left) <= maxReasons {
		for _, l := range left {
			p.printf("Left out  %s: %s\n", l.Table, l.Reason)
		}
		return
	}
	p.printf("Left out  %s; the end of the file says of each why, and what to write to serve it:\n", count(len(left), "table"))
	for _, lack := range []setup.Lack{setup.LacksChoice, setup.LacksOwner, setup.LacksColumn, setup.LacksRight, setup.LacksFit, setup.LacksNothing} {
		var tables []string
		for _, l := range left {
			if l.Lack == lack {
				tables = append(tables, l.Table)
			}
		}
		if len(tables) > 0 {
			p.printf("          %s (%d):\n", lack, len(tables))
			if more := len(tables) - maxNames; more > 0 {
				tables = append(tables[:maxNames], fmt.Sprintf("and %d more", more))
			}
			p.names("", tables)
		}
	}
}

// unread tells what there is that the account may not read.
func (p printer) unread() {
	names, grants := p.draft.Unread(), p.draft.Grants()
	if len(names) == 0 {
		return
	}
	if more := len(names) - maxNames; more > 0 {
		names = append(names[:maxNames], fmt.Sprintf("and %d more", more))
	}
	p.names("UNREAD", names)
	if len(grants) > maxReasons {
		p.printf("          The account %s may not read these. The end of the file has the GRANT for each.\n", p.draft.Account())
		return
	}
	p.printf("          The account %s may not read these. What of them is to be served takes:\n", p.draft.Account())
	for _, statement := range grants {
		p.printf("            %s\n", statement)
	}
}

// width is how long a line of names may be.
const width = 110

// names prints names after a heading, over as many lines as they take.
func (p printer) names(heading string, names []string) {
	line := fmt.Sprintf("%-9s", heading)
	for i, name := range names {
		if i < len(names)-1 {
			name += ","
		}
		if len(line) > 9 && len(line)+1+len(name) > width {
			p.printf("%s\n", line)
			line = fmt.Sprintf("%-9s", "")
		}
		line += " " + name
	}
	p.printf("%s\n", line)
}

func (p printer) registered() {
	if p.keys.failed != nil {
		p.printf("          Not all of them could be read (%v); what is missing belongs under `tenants`.\n", p.keys.failed)
	}
	switch {
	case p.draft.Tenants == nil:
		p.printf("          Tokens of any tenant are accepted, if they are signed with the secret.\n")
	case p.draft.More:
		p.printf("          The first %d are registered under `tenants`; add the others there, each as ID: {key: KEY}.\n", len(p.draft.Tenants))
	default:
		p.printf("          %s registered under `tenants`, since not every key can be an id.\n", count(len(p.draft.Tenants), "tenant"))
	}
}

// next prints the two commands that come next.
func (p printer) next() {
	flag := ""
	if p.config != "usher.yml" {
		flag = " -c " + shell(p.config)
	}
	p.printf("\nRead it, then:\n\n  usher serve%s\n", flag)
	if p.token == "" {
		p.printf("\nThere is no row of any tenant yet, so there is no token to try it with.\n")
		return
	}
	body, _ := json.Marshal(map[string]string{"query": sampleQuery(p.cat.Dataset(p.keys.from))}) // strings always marshal
	p.printf("\nand, with a token of the tenant %s that is good for a day:\n\n", p.tenant)
	p.printf("  curl -s http://127.0.0.1:8080/graphql -H 'Content-Type: application/json' \\\n")
	p.printf("    -H 'Authorization: Bearer %s' \\\n    -d %s\n", p.token, shell(string(body)))
}

// sampleQuery shows a few columns of a few rows.
func sampleQuery(d *catalog.Dataset) string {
	var fields []string
	for _, col := range d.Columns {
		if col != d.Tenant && len(fields) < 5 {
			fields = append(fields, col.Name)
		}
	}
	if len(fields) == 0 {
		return fmt.Sprintf("{ %sAggregate { count } }", d.Name)
	}
	return fmt.Sprintf("{ %s(limit: 3) { %s } }", d.Name, strings.Join(fields, " "))
}

// shell writes text as one word for a shell.
func shell(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func (p printer) printf(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format, args...) }
