package sqlexec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// heldBefore finds for each check whose grant lets it be changed which rows that are there already.
// Those that no grant holds are not there: others are a conflict.
func (a *applying) heldBefore(ctx context.Context, u plan.Upsert) ([][]bool, error) {
	keys := make([][]value.Value, u.Keys())
	for k := range keys {
		keys[k] = make([]value.Value, a.count)
	}
	for i := range a.c.Inserts() {
		into := a.c.Insert(i)
		for k := range keys {
			for column := range into.Columns() {
				if into.Column(column).Name != u.Key(k).Name {
					continue
				}
				for n := range into.Rows() {
					keys[k][into.Row(n)] = into.Value(column, n).Value()
				}
			}
		}
	}
	if err := a.unpadded(ctx, u, keys); err != nil {
		return nil, err
	}
	held := make([][]bool, u.Helds())
	for i := range held {
		statement, err := sqlgen.Named(u.Held(i), sqlgen.NoLock, a.d)
		if err != nil {
			return nil, err
		}
		if held[i], err = a.named(ctx, statement, keys, a.count, nil); err != nil {
			return nil, err
		}
	}
	for n := range a.count {
		there := false
		for i := range held {
			there = there || held[i][n]
		}
		for i := range held {
			held[i][n] = held[i][n] || !there
		}
	}
	by := make([][]bool, a.c.Checks())
	for i := range by {
		by[i] = held[i%len(held)]
	}
	return by, nil
}

// unpadded takes from keys what the source keeps apart from them: blanks at the end of texts to whose length it adds
// some. It is asked which columns that is about where nobody has looked; where somebody has, what is given has none.
func (a *applying) unpadded(ctx context.Context, u plan.Upsert, keys [][]value.Value) error {
	var types map[string]string
	for k, list := range keys {
		f := u.Key(k)
		if a.d != sqlgen.PostgresChange || !f.Type.Text() || f.Form != value.Plain || f.Native != "" || !slices.ContainsFunc(list, endsBlank) {
			continue
		}
		if types == nil {
			var err error
			if types, err = Types(ctx, a.session, a.d, a.c.Table()); err != nil {
				return err
			}
		}
		if !strings.HasPrefix(types[f.Stored], "character(") && types[f.Stored] != "bpchar" {
			continue
		}
		for n := range list {
			if endsBlank(list[n]) {
				v, err := value.Parse(f.Type, strings.TrimRight(list[n].Text(), " "))
				if err != nil {
					return fault.Broken("a key without its blanks: %w", err)
				}
				list[n] = v
			}
		}
	}
	return nil
}

func endsBlank(v value.Value) bool { return !v.Null() && strings.HasSuffix(v.Text(), " ") }

// Types are what a table's columns are of now, by their names there.
func Types(ctx context.Context, s Session, d sqlgen.ChangeDialect, table plan.Ref) (map[string]string, error) {
	rows, err := s.Query(ctx, d.Types(table.Schema(), table.Table()), nil)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string)
	for rows.Next() {
		out[string(rows.Cell(0).Text)] = string(rows.Cell(1).Text)
	}
	return out, ended(rows)
}

// fresh notes the keys of rows that were inserted, where others were there already.
func (a *applying) fresh(rows value.Rows, into plan.Insert) error {
	if a.made == nil {
		a.made = make(map[string]bool)
	}
	for n := 0; n <= into.Rows() && rows.Next(); n++ {
		key := make([]value.Value, a.c.Keys())
		for k := range key {
			key[k] = value.Bound(into.Key(k).Type, rows.Cell(k))
		}
		a.made[keyText(key)] = true
	}
	return ended(rows)
}

// keyText tells keys apart.
func keyText(key []value.Value) string {
	var text strings.Builder
	for _, v := range key {
		_, _ = fmt.Fprintf(&text, "%d:%s", len(v.Text()), v.Text())
	}
	return text.String()
}

// every numbers rows.
func every(count int) []int {
	out := make([]int, count)
	for n := range out {
		out[n] = n
	}
	return out
}

// find takes the keys of rows, of those that were inserted and of those that were there,
// and checks the former: nothing was written to the others. It returns how many were inserted.
func (a *applying) find(ctx context.Context, u plan.Upsert, rows []int) (written int, err error) {
	l := u.Level()
	statement, err := sqlgen.Named(l, sqlgen.NoLock, a.d)
	if err != nil {
		return 0, err
	}
	keys := make([][]value.Value, u.Keys())
	for i := range keys {
		for _, row := range rows {
			keys[i] = append(keys[i], u.Found(i, row))
		}
	}
	if err := a.unpadded(ctx, u, keys); err != nil {
		return 0, err
	}
	only, counted := a.part(nil), make(map[string]bool) // several may be one row, as the source compares their keys
	there, err := a.named(ctx, statement, keys, len(rows), func(n int, row value.Rows) error {
		key := make([]value.Value, a.c.Keys())
		for k := range key {
			key[k] = value.Bound(l.Column(k).Type(), row.Cell(k+1))
			a.keys[k][rows[n]] = key[k]
		}
		if text := keyText(key); a.made[text] && !counted[text] {
			counted[text] = true
			for k := range key {
				only.keys[k] = append(only.keys[k], key[k])
			}
			only.count++
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if only.count < len(a.made) { // what was written is not what was given, or is out of the scope
		return 0, a.c.Check(0).Outside()
	}
	for _, ok := range there {
		if !ok {
			return 0, fault.New(fault.Conflict, "a row of %s with the key of one of these is there, and is not shown", a.c.Dataset()).Because(ErrHidden)
		}
	}
	if only.count == 0 {
		return 0, nil
	}
	return only.count, only.check(ctx, nil)
}

// merge makes rows, or changes those that are there already, in several statements.
func (a *applying) merge(ctx context.Context, into plan.Insert, upsert plan.Upsert, _ bool) error {
	m, err := sqlgen.Merge(into, upsert, a.d)
	if err != nil {
		return err
	}
	if err := fits(max(m.There.Args.Len(), m.Change.Args.Len(), m.Rest.Args.Len()), 0); err != nil {
		return err
	}
	found, err := a.session.Query(ctx, m.There.Text, m.There.Args.Bind(nil))
	if err != nil {
		return err
	}
	there, count := make([]bool, into.Rows()), 0
	for ; found.Next(); count++ {
		n := int(found.Cell(0).Int) - 1
		if n < 0 || n >= len(there) || there[n] {
			_ = found.Close()
			return SeveralRows(a.c.Dataset())
		}
		there[n] = true
		for k := range a.keys {
			a.keys[k][into.Row(n)] = value.Bound(into.Key(k).Type, found.Cell(k+1))
		}
	}
	if err := ended(found); err != nil {
		return err
	}
	if count > 0 {
		done, err := a.affected(ctx, m.Change)
		if err != nil {
			return err
		}
		if done != count {
			return a.unchanged()
		}
	}
	if count == len(there) {
		return nil
	}
	made, err := a.session.Query(ctx, m.Rest.Text, m.Rest.Args.Bind(nil))
	if err != nil {
		return err
	}
	whole := true
	for n := range there {
		if there[n] {
			continue
		}
		if whole = whole && made.Next(); !whole {
			break
		}
		for k := range a.keys {
			a.keys[k][into.Row(n)] = value.Bound(into.Key(k).Type, made.Cell(k))
		}
	}
	whole = whole && !made.Next()
	if err := ended(made); err != nil {
		return err
	}
	if !whole {
		return a.refused()
	}
	return nil
}

// ErrHidden is the cause of a conflict with a row that is not shown. ErrUnseen is that of one that
// may also be another transaction's, which inserted it when the statement had begun: then it is shown to the next.
var (
	ErrHidden = errors.New("a row with the key of one that was to be inserted is there, and is not shown")
	ErrUnseen = fmt.Errorf("%w, or was not seen", ErrHidden)
)

// unchanged is the error where a row is there that is not shown, or not to be changed.
func (a *applying) unchanged() error {
	return fault.New(fault.Conflict, "a row of %s with the key of one of these is there, and cannot be changed", a.c.Dataset()).Because(ErrUnseen)
}
