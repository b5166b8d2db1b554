package equivalence

import (
	"usher/catalog"
	"usher/query"
	"usher/value"
)

// spec is the catalog of the world over some sources. The common datasets are
// kept in one of them.
func (w *world) spec(sources map[string]catalog.SourceSpec, strategies map[string]catalog.StrategySpec, common string) catalog.Spec {
	s := catalog.Spec{
		Sources: sources, Strategies: strategies,
		Limits:   catalog.LimitsSpec{Rows: new(30), MaxRows: new(2000)},
		Datasets: make(map[string]catalog.DatasetSpec),
	}
	for _, t := range w.tables {
		d := catalog.DatasetSpec{Key: t.key, Relations: relations[t.name], Measures: measures[t.name]}
		if t.common {
			d.Common, d.Source = true, common
		} else {
			d.Tenant.Column = tenantColumn
		}
		if t.through != "" {
			d.Tenant = catalog.TenancySpec{Through: t.through}
		}
		for _, c := range t.stored() {
			d.Columns = append(d.Columns, catalog.Entry[catalog.ColumnSpec]{Name: c.name, Value: columnSpec(c)})
		}
		s.Datasets[t.name] = d
	}
	return s
}

func columnSpec(c column) catalog.ColumnSpec {
	spec := catalog.ColumnSpec{Type: c.typ.GraphQL()}
	if c.typ.Scalar == value.Enum {
		spec.Type, spec.Name, spec.Labels = "Enum", c.typ.EnumName, c.typ.Labels
	}
	if c.typ.Scalar == value.Decimal {
		spec.Precision, spec.Scale = &c.typ.Precision, &c.typ.Scale
	}
	if c.never {
		spec.Type += "!"
	}
	return spec
}

func relation(name, to string, many bool, on map[string]string) catalog.Entry[catalog.RelationSpec] {
	return catalog.Entry[catalog.RelationSpec]{Name: name, Value: catalog.RelationSpec{To: to, Many: many, On: on}}
}

// relations holds each kind: to one and to many, within a source and across,
// of a dataset to itself, by two columns, from common rows to a tenant's.
var relations = map[string]catalog.Ordered[catalog.RelationSpec]{
	"categories": {
		relation("parent", "categories", false, map[string]string{"parent_id": "id"}),
		relation("children", "categories", true, map[string]string{"id": "parent_id"}),
		relation("products", "products", true, map[string]string{"id": "category_id"}),
	},
	"products": {
		relation("category", "categories", false, map[string]string{"category_id": "id"}),
		relation("orders", "orders", true, map[string]string{"id": "product_id"}),
		relation("scans", "scans", true, map[string]string{"id": "product_id"}),
	},
	"stores": {
		relation("orders", "orders", true, map[string]string{"region": "store_region", "number": "store_number"}),
	},
	"orders": {
		relation("parent", "orders", false, map[string]string{"parent_id": "id"}),
		relation("children", "orders", true, map[string]string{"id": "parent_id"}),
		relation("store", "stores", false, map[string]string{"store_region": "region", "store_number": "number"}),
		relation("product", "products", false, map[string]string{"product_id": "id"}),
		relation("items", "items", true, map[string]string{"id": "order_id"}),
		relation("events", "events", true, map[string]string{"id": "order_id"}),
	},
	"items": {
		relation("order", "orders", false, map[string]string{"order_id": "id"}),
		relation("product", "products", false, map[string]string{"product_id": "id"}),
	},
	"events": {
		relation("order", "orders", false, map[string]string{"order_id": "id"}),
	},
	"trips": {
		relation("stops", "stops", true, map[string]string{"id": "trip_id"}),
		{Name: "orders", Value: catalog.RelationSpec{
			To: "orders", Many: true, Through: "stops", On: map[string]string{"id": "trip_id"}, ToOn: map[string]string{"order_id": "id"},
		}},
	},
	"stops": {
		relation("trip", "trips", false, map[string]string{"trip_id": "id"}),
		relation("order", "orders", false, map[string]string{"order_id": "id"}),
		relation("scans", "scans", true, map[string]string{"trip_id": "trip_id", "no": "stop_no"}),
	},
	"scans": {
		relation("stop", "stops", false, map[string]string{"trip_id": "trip_id", "stop_no": "no"}),
		relation("product", "products", false, map[string]string{"product_id": "id"}),
	},
}

func measure(name, expr string, filter query.Value) catalog.Entry[catalog.MeasureSpec] {
	return catalog.Entry[catalog.MeasureSpec]{Name: name, Value: catalog.MeasureSpec{Expr: expr, Filter: filter}}
}

var measures = map[string]catalog.Ordered[catalog.MeasureSpec]{
	"orders": {
		measure("revenue", "sum(amount)", nil),
		measure("gifts", "count()", query.Object{{Name: "gift", Value: query.Object{{Name: "eq", Value: query.Bool(true)}}}}),
		measure("average_ticket", "sum(amount) / count() + weightedAverage(pieces, amount)", nil),
		measure("margin", "sum(amount - product.cost * pieces)", nil),
		measure("spread", "stddev(amount) / avg(amount)", nil),
	},
	"items": {
		measure("gross", "sum(quantity * price)", nil),
		measure("per_order", "count() / countDistinct(order_id)", nil),
	},
	"events": {
		measure("signal", "sum(value) - sum(points)", nil),
	},
}
