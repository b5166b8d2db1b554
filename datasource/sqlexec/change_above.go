package sqlexec

import (
	"context"
	"fmt"
	"strings"

	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// climb collects what rows of a level are led upwards by, each once.
type climb struct {
	level plan.Level
	from  int // where the cells of the level begin in what is read
	keys  [][]value.Value
	seen  map[string]bool
}

// below takes the cells of each row; nil where there is no step.
func (c *climb) below(steps int, at func(int) plan.Above) func(int, value.Rows) error {
	if steps == 0 {
		return nil
	}
	return c.take(at(0))
}

func (c *climb) take(up plan.Above) func(int, value.Rows) error {
	c.keys, c.seen = make([][]value.Value, up.Cells()), make(map[string]bool)
	return func(_ int, row value.Rows) error {
		tuple, text := make([]value.Value, up.Cells()), strings.Builder{}
		for i := range tuple {
			tuple[i] = value.Bound(c.level.Column(up.First()+i).Type(), row.Cell(c.from+up.First()+i))
			_, _ = fmt.Fprintf(&text, "%d:%s", len(tuple[i].Text()), tuple[i].Text())
		}
		if !c.seen[text.String()] {
			c.seen[text.String()] = true
			for i, v := range tuple {
				c.keys[i] = append(c.keys[i], v)
			}
		}
		return nil
	}
}

// above keeps the rows as they are that say whose the rows below them are.
func (a *applying) above(ctx context.Context, c climb, steps int, at func(int) plan.Above) error {
	for i := range steps {
		up := at(i)
		statement, err := sqlgen.Named(up.Level(), sqlgen.ToRefer, a.d)
		if err != nil {
			return err
		}
		next, take := climb{level: up.Level(), from: 1}, (func(int, value.Rows) error)(nil)
		if i+1 < steps {
			take = next.take(at(i + 1))
		}
		there, err := a.named(ctx, statement, c.keys, len(c.keys[0]), take)
		if err != nil {
			return err
		}
		for _, ok := range there {
			if !ok {
				return a.refused()
			}
		}
		c = next
	}
	return nil
}
