package setup

import (
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
	"usher/value"
)

// What columns are called, without gaps, in which a row says when and by whom it was deleted, or that it was.
var (
	deletedAt   = strings.Fields("deletedat deleteat deleteddate deletedon deletedtime deletedts deletets deletionts deletiondate deletiontime discardedat removedat trashedat destroyedat erasedat")
	deletedBy   = strings.Fields("deletedby deleteby")
	deletedFlag = strings.Fields("deleted isdeleted isdelete deletedflag deleteflag softdeleted issoftdeleted isremoved trashed istrashed discarded isdiscarded isdestroyed iserased")
	counts      = strings.Fields("deleted softdeleted trashed discarded")
)

// What mark rows that are deleted where another column says when, by whom or why: an invoice may be voided, and a vehicle retired,
// and stay there for all to see.
var voidedFlag = strings.Fields("voided isvoided retired isretired")

// voids tells whether a column is such a mark, and another one says more of it.
func (t *table) voids(column string) bool {
	stem := strings.TrimPrefix(gapless(column), "is")
	if !slices.Contains(voidedFlag, stem) {
		return false
	}
	more := []string{stem + "by", stem + "at", stem + "on", stem + "date", "date" + stem, stem + "reason", strings.TrimSuffix(stem, "d") + "reason", strings.TrimSuffix(stem, "ed") + "reason"}
	says := func(name string) bool { return slices.Contains(more, gapless(name)) }
	return slices.ContainsFunc(t.Columns, func(c catalog.TableColumn) bool { return says(c.Name) }) || slices.ContainsFunc(t.unread, says)
}

// deletion is how rows of a table that are there say that they are deleted, as usher.yml has it.
type deletion struct {
	stamp string   // the value of deleted; empty: no row is stamped
	marks []string // conditions of a filter that rows satisfy which are not deleted by what else says so
}

// deletion finds the columns that tell, by what each is called in usher.yml; those that are called nothing are passed over.
func (t *table) deletion(written func(catalog.TableColumn) string) (out deletion) {
	find := func(names []string, fits func(catalog.TableColumn) bool) (found []catalog.TableColumn) {
		for _, name := range names {
			for _, c := range t.Columns {
				if gapless(c.Name) == name && !c.Type.List && written(c) != "" && fits(c) {
					found = append(found, c)
				}
			}
		}
		return found
	}
	for i, c := range find(deletedAt, func(c catalog.TableColumn) bool { return c.Nullable && dated(c.Type.Scalar) }) {
		if i > 0 {
			out.marks = append(out.marks, fmt.Sprintf("%s: {isNull: true}", Scalar(written(c))))
			continue
		}
		out.stamp = "{at: " + Scalar(written(c))
		if by := find(deletedBy, func(c catalog.TableColumn) bool { return c.Nullable && c.Type.Scalar == value.String }); len(by) > 0 {
			out.stamp += ", by: " + Scalar(written(by[0]))
		}
		out.stamp += "}"
	}
	flag := func(c catalog.TableColumn) bool { return c.Type.Scalar == value.Boolean }
	number := func(c catalog.TableColumn) bool { // others may count what was deleted
		small := slices.Contains([]string{"smallint", "tinyint", "utinyint"}, strings.ToLower(c.Native))
		return (c.Type.Scalar == value.Int || c.Type.Scalar == value.BigInt) && (small || !slices.Contains(counts, gapless(c.Name)))
	}
	for _, c := range slices.Concat(find(deletedFlag, flag), find(voidedFlag, func(c catalog.TableColumn) bool { return flag(c) && t.voids(c.Name) })) {
		out.marks = append(out.marks, unmarked(c, Scalar(written(c)), "false"))
	}
	for _, c := range find(slices.Concat(deletedAt, deletedFlag), number) { // flags of 0 and 1, and times of which 0 is none
		out.marks = append(out.marks, unmarked(c, Scalar(written(c)), "0"))
	}
	return out
}

func unmarked(c catalog.TableColumn, name, not string) string {
	is := fmt.Sprintf("%s: {eq: %s}", name, not)
	if !c.Nullable {
		return is
	}
	return fmt.Sprintf("or: [{%s}, {%s: {isNull: true}}]", is, name)
}

func gapless(column string) string { return strings.ReplaceAll(strings.ToLower(column), "_", "") }

func dated(s value.Scalar) bool {
	return s == value.Timestamp || s == value.LocalTimestamp || s == value.Date
}

// filter is what all marks make of a filter, without its braces.
func (e deletion) filter() string {
	if len(e.marks) < 2 {
		return strings.Join(e.marks, "")
	}
	return "and: [{" + strings.Join(e.marks, "}, {") + "}]"
}

// among adds what hides deleted rows to lines of a dataset: to each line that says whose the rows are a filter, in which the
// one that follows it is kept.
func (e deletion) among(lines []string) []string {
	var out []string
	for i, line := range lines {
		rest, filters := strings.CutPrefix(line, "filter: {")
		if filters && len(e.marks) > 0 {
			line = "filter: {" + e.filter() + ", " + rest
		}
		out = append(out, line)
		owner := strings.HasPrefix(line, "tenant: ") || strings.HasPrefix(line, "common: ")
		if owner && len(e.marks) > 0 && (i+1 == len(lines) || !strings.HasPrefix(lines[i+1], "filter: {")) {
			out = append(out, "filter: {"+e.filter()+"}")
		}
	}
	if e.stamp != "" {
		out = append(out, "deleted: "+e.stamp)
	}
	return out
}

// unseenDeletion are the columns that tell which rows are deleted, and which the account may not read.
func (t *table) unseenDeletion() []string {
	return slices.DeleteFunc(slices.Clone(t.unread), func(column string) bool {
		return !t.tellsDeleted(column)
	})
}

// tellsDeleted tells whether a column is called as if it said which rows are deleted.
func (t *table) tellsDeleted(column string) bool {
	return slices.Contains(deletedAt, gapless(column)) || slices.Contains(deletedFlag, gapless(column)) || t.voids(column)
}
