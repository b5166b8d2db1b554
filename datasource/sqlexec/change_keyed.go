package sqlexec

import (
	"context"

	"usher/fault"
	"usher/sqlgen"
	"usher/value"
)

// named runs a statement about rows that are named by keys, and returns which of them it
// has rows for.
func (a *applying) named(ctx context.Context, statement sqlgen.Statement, keys [][]value.Value, count int, cell func(n int, row value.Rows) error) ([]bool, error) {
	return a.rowsOf(ctx, statement, keys, count, false, cell)
}

// rowsOf is named for a statement that may write.
func (a *applying) rowsOf(ctx context.Context, statement sqlgen.Statement, keys [][]value.Value, count int, writes bool, cell func(n int, row value.Rows) error) ([]bool, error) {
	args := make([]string, 0, len(keys)+statement.Args.Len())
	for _, list := range keys {
		args = append(args, a.d.KeyList(value.Values(list)))
	}
	args = append(args, statement.Args.Bind(nil)...)
	if err := fits(statement.Args.Len(), 0); err != nil {
		return nil, err
	}
	run := ask
	if writes {
		run = writing
	}
	rows, err := run(ctx, a.session, keyedAs(statement, count), statement.Text, args)
	if err != nil {
		return nil, err
	}
	there := make([]bool, count)
	for rows.Next() {
		n := int(rows.Cell(0).Int) - 1
		if n < 0 || n >= count || there[n] {
			_ = rows.Close()
			return nil, SeveralRows(a.c.Dataset())
		}
		there[n] = true
		if cell != nil {
			if err := cell(n, rows); err != nil {
				_ = rows.Close()
				return nil, err
			}
		}
	}
	return there, ended(rows)
}

// few rows of one table are found by their keys one by one, whatever these are: there is no better plan. Of
// more the engine has to know how many they are: a plan for any number is one for few, and takes, where the
// statistics of a table are old, time for each key with each row.
const few = 100

func linkedAs(count int) planned {
	if count > few {
		return byValues
	}
	return asEver
}

func keyedAs(s sqlgen.Statement, count int) planned {
	if s.Single && count <= few {
		return forAll
	}
	return linkedAs(count)
}

// all runs a statement that has to have a row for each key.
func (a *applying) all(ctx context.Context, statement sqlgen.Statement) error {
	return a.each(ctx, statement, false, nil)
}

func (a *applying) each(ctx context.Context, statement sqlgen.Statement, writes bool, cell func(int, value.Rows) error) error {
	there, err := a.rowsOf(ctx, statement, a.keys, a.count, writes, cell)
	if err != nil {
		return err
	}
	for _, ok := range there {
		if !ok {
			return a.refused()
		}
	}
	return nil
}

// counted runs a statement that has to be about as many rows as there are keys: no key
// names two of them, so that fewer are another number.
func (a *applying) counted(ctx context.Context, statement sqlgen.Statement) error {
	done, err := a.affected(ctx, statement, a.keys...)
	if err == nil && done != a.count {
		err = a.refused()
	}
	return err
}

// affected runs a statement that returns how many rows it is about.
func (a *applying) affected(ctx context.Context, statement sqlgen.Statement, keys ...[]value.Value) (int, error) {
	if err := fits(statement.Args.Len(), 0); err != nil {
		return 0, err
	}
	args := make([]string, 0, len(keys)+statement.Args.Len())
	for _, list := range keys {
		args = append(args, a.d.KeyList(value.Values(list)))
	}
	rows, err := a.session.Query(ctx, statement.Text, append(args, statement.Args.Bind(nil)...))
	if err != nil {
		return 0, err
	}
	n := 0
	if rows.Next() {
		n = int(rows.Cell(0).Int)
	}
	return n, ended(rows)
}

// SeveralRows is the error where a key of the configuration's names more than one row, as it can where the
// source has nothing that keeps it.
func SeveralRows(dataset string) error {
	return fault.New(fault.Unavailable, "there are several rows of %s where the source has them, and the key names one", dataset).
		WithHint("Tell an administrator: rows of one key have to be made one, or the dataset needs a key that tells them apart.")
}

// refused is the error where the source has written other rows than it was given.
func (a *applying) refused() error {
	return fault.New(fault.Forbidden, "the source does not write these rows of %s", a.c.Dataset())
}

// part is a change of some of the rows.
func (a *applying) part(rows []int) *applying {
	of := &applying{session: a.session, d: a.d, c: a.c, tables: a.tables, keys: make([][]value.Value, a.c.Keys()), count: len(rows)}
	for k := range of.keys {
		for _, row := range rows {
			of.keys[k] = append(of.keys[k], a.keys[k][row])
		}
	}
	for _, by := range a.by {
		some := make([]bool, 0, len(rows))
		for _, row := range rows {
			some = append(some, by[row])
		}
		of.by = append(of.by, some)
	}
	return of
}
