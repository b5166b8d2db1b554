package catalog

import "usher/query"

func (c *compiler) measures(d *draft) {
	for _, e := range d.spec.Measures {
		at := d.at.in("measures", e.Name)
		if bad := badField(e.Name); bad != "" {
			at.problem("%s", bad)
		}
		if e.Value.Expr == "" {
			at.problem("has no expression; write `expr: sum(…)`")
			continue
		}
		if len(d.Columns) == 0 {
			continue
		}
		expr, err := parseExpression(d.Dataset, e.Value.Expr)
		if err != nil {
			at.problem("%s", err)
			continue
		}
		c.filter(at.in("filter"), d.Dataset, e.Value.Filter)
		expr.keepOnly(e.Value.Filter)
		m := &Measure{Name: e.Name, Label: e.Value.Label, Description: e.Value.Description, Type: expr.Type, Expr: expr}
		m.Only = only(at.in("only_tenants"), e.Value.OnlyTenants).and(expr.only(d.Dataset))
		if m.Only != nil && len(m.Only) == 0 && len(e.Value.OnlyTenants) > 0 {
			at.problem("is for nobody: no tenant sees all of its columns")
		}
		d.Dataset.Measures = append(d.Dataset.Measures, m)
		d.Dataset.measures[m.Name] = m
	}
}

// keepOnly gives every aggregate of the expression the filter.
func (e *Expr) keepOnly(filter query.Value) {
	if e.Op == ExprCount || e.Op == ExprAgg {
		e.Filter = filter
		return
	}
	for _, arg := range e.Args {
		arg.keepOnly(filter)
	}
}
