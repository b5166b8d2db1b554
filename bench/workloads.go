package main

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind is a kind of server: each is asked in its own words.
type kind string

const (
	byHand       kind = "baseline"
	byGqlgen     kind = "gqlgen"
	ofUsher      kind = "usher"
	postgraphile kind = "postgraphile"
)

// workload is one question, put to each kind of server in its own words. The
// answers are the same. Its name is the operation's, and the part before _ is
// that of all its forms.
type workload struct {
	name, title string
	large       bool // asked by the largest tenant alone
	lists       bool // short statements: also asked by many clients
	rights      bool // asked with tokens whose rights differ
	targets     targets
	documents   map[kind]string // of those kinds of servers that are asked
	variables   string          // JSON; @ in it, or in a document, is the value
	value       values          // nil: the same question again and again
	pages       bool            // the value is where the last answer ended
	path        string          // of the requests, whose body is the document alone; empty: GraphQL
	needs       string          // the mutation it is
	inserts     int             // rows that a request adds
}

// targets are what is wanted of usher, as ratios; 0: nothing is.
type targets struct {
	throughput float64 // at least, beside the baseline
	p99        float64 // at most, beside the baseline
	cpu        float64 // of a request, at most, beside the baseline that logs
}

// values appends the value of the n-th question of a tenant: another for each
// n, unless the workload says that values recur.
type values func(out []byte, of *holding, n int) []byte

// holding is what the values of a tenant's questions are made of.
type holding struct {
	data   dataset
	tenant string
	number int     // of the tenant, among those that ask: its first question's
	ids    []int64 // of some of its orders
}

// family is the name of a workload in all its forms.
func (w workload) family() string {
	name, _, _ := strings.Cut(w.name, "_")
	return name
}

// document returns what a server is asked, and the variables, unless the values
// stand in the document.
func (w workload) document(k kind) (text, variables string) {
	text = w.documents[k]
	if strings.Contains(text, "@") {
		return text, ""
	}
	return text, w.variables
}

const (
	newest    = `orderBy: [{orderedAt: DESC}], limit: 20`
	w1Columns = `{ id customer region amount orderedAt }`
	w2Columns = `{ id customer amount orderedAt product { name category } items(orderBy: [{id: ASC}]) { sku quantity price } }`
	w2Peer    = `{ id: rowId customer amount orderedAt product { name category }
		items: itemsList(orderBy: [PRIMARY_KEY_ASC]) { sku quantity price } }`
	textColumns = `{ id reference customer amount status }`
	w5Columns   = `{ id reference customer region status amount quantity orderedAt }`
	groupsOf    = `orderBy: [{key: {orderedAt: {by: MONTH}}}, {key: {region: ASC}}]`
	groups      = `{ key { orderedAt(by: MONTH) region } count amount { sum } }`
)

var list = targets{throughput: 1, p99: 1.2, cpu: 1.2}

var distinctList = targets{throughput: 0.95, p99: 1.2, cpu: 1.2}

var workloads = []workload{
	{
		name: "W1", title: "list: the 20 newest orders, 5 columns", lists: true, targets: list,
		documents: map[kind]string{
			byHand: "", byGqlgen: `query W1 { orders(order: NEWEST, limit: 20) ` + w1Columns + ` }`,
			ofUsher:      `query W1 { orders(` + newest + `) ` + w1Columns + ` }`,
			postgraphile: `query W1 { orders: allOrdersList(orderBy: [ORDERED_AT_DESC, PRIMARY_KEY_ASC], first: 20) ` + peer(w1Columns) + ` }`,
		},
	},
	{
		name: "W1_distinct", title: "the 20 newest before a time", lists: true, targets: distinctList,
		documents: map[kind]string{
			byHand: "", ofUsher: `query W1_distinct($before: Timestamp!) { orders(where: {orderedAt: {lt: $before}}, ` + newest + `) ` + w1Columns + ` }`,
			postgraphile: `query W1_distinct($before: Datetime!) { orders: allOrdersList(filter: {orderedAt: {lessThan: $before}},
				orderBy: [ORDERED_AT_DESC, PRIMARY_KEY_ASC], first: 20) ` + peer(w1Columns) + ` }`,
		},
		variables: `{"before":"@"}`, value: within(span/2, span),
	},
	{
		name: "W1text", title: "list: the first 20 orders by a text, in code-point order", lists: true, targets: list,
		documents: map[kind]string{
			byHand: "", byGqlgen: `query W1text { orders(order: REFERENCE, limit: 20) ` + textColumns + ` }`,
			ofUsher:      `query W1text { orders(orderBy: [{reference: ASC}], limit: 20) ` + textColumns + ` }`,
			postgraphile: `query W1text { orders: allOrdersList(orderBy: [REFERENCE_ASC, PRIMARY_KEY_ASC], first: 20) ` + peer(textColumns) + ` }`,
		},
	},
	{
		name: "W1text_distinct", title: "the first 20 after a text", lists: true, targets: distinctList,
		documents: map[kind]string{
			byHand: "", ofUsher: `query W1text_distinct($after: String!) { orders(where: {reference: {gt: $after}}, orderBy: [{reference: ASC}], limit: 20) ` + textColumns + ` }`,
			postgraphile: `query W1text_distinct($after: String!) { orders: allOrdersList(filter: {reference: {greaterThan: $after}},
				orderBy: [REFERENCE_ASC, PRIMARY_KEY_ASC], first: 20) ` + peer(textColumns) + ` }`,
		},
		variables: `{"after":"@"}`, value: someReference,
	},
	{
		name: "W1text_texts", title: "the same, the text written into the document: no two documents are alike", lists: true, targets: targets{},
		documents: map[kind]string{
			byHand: "", ofUsher: `query W1text_texts { orders(where: {reference: {gt: "@"}}, orderBy: [{reference: ASC}], limit: 20) ` + textColumns + ` }`,
			postgraphile: `query W1text_texts { orders: allOrdersList(filter: {reference: {greaterThan: "@"}},
				orderBy: [REFERENCE_ASC, PRIMARY_KEY_ASC], first: 20) ` + peer(textColumns) + ` }`,
		},
		variables: `{"after":"@"}`, value: someReference,
	},
	{
		name: "W2", title: "list with relations: 20 orders, their product and their items", lists: true, targets: list,
		documents: map[kind]string{
			byHand: "", byGqlgen: `query W2 { orders(order: NEWEST, limit: 20) { id customer amount orderedAt product { name category } items { sku quantity price } } }`,
			ofUsher:      `query W2 { orders(` + newest + `) ` + w2Columns + ` }`,
			postgraphile: `query W2 { orders: allOrdersList(orderBy: [ORDERED_AT_DESC, PRIMARY_KEY_ASC], first: 20) ` + w2Peer + ` }`,
		},
	},
	{
		name: "W2_distinct", title: "the newest of an amount at least", lists: true, targets: distinctList,
		documents: map[kind]string{
			byHand: "", ofUsher: `query W2_distinct($least: Decimal!) { orders(where: {amount: {gte: $least}}, ` + newest + `) ` + w2Columns + ` }`,
			postgraphile: `query W2_distinct($least: BigFloat!) { orders: allOrdersList(filter: {amount: {greaterThanOrEqualTo: $least}},
				orderBy: [ORDERED_AT_DESC, PRIMARY_KEY_ASC], first: 20) ` + w2Peer + ` }`,
		},
		variables: `{"least":"@"}`, value: smallAmount,
	},
	{
		name: "W3", title: "aggregate: orders and revenue by month and region", targets: targets{throughput: 1.2},
		documents: map[kind]string{
			byHand: "", byGqlgen: `query W3 { groups: ordersByMonthAndRegion { key { orderedAt region } count amount { sum } } }`,
			ofUsher: `query W3 { groups: ordersAggregate(` + groupsOf + `) ` + groups + ` }`,
		},
	},
	{
		name: "W3_distinct", title: "of the time since a moment in the first days", targets: targets{throughput: 1},
		documents: map[kind]string{
			byHand: "", ofUsher: `query W3_distinct($from: Timestamp!) { groups: ordersAggregate(where: {orderedAt: {gte: $from}}, ` + groupsOf + `) ` + groups + ` }`,
		},
		variables: `{"from":"@"}`, value: within(0, 10*day),
	},
	{
		name: "W3_kept", title: "the same of a dataset whose answers may be kept for 30 s", targets: targets{},
		documents: map[kind]string{
			byHand: "", ofUsher: `query W3_kept { groups: keptOrdersAggregate(` + groupsOf + `) ` + groups + ` }`,
		},
	},
	{
		name: "W4", title: "dashboard: ten tiles in one operation", targets: targets{throughput: 1.5},
		documents: map[kind]string{
			byHand: "", ofUsher: "query W4 " + tiles(""),
			byGqlgen: `query W4 {
				total: ordersTotal { count amount { sum max } }
				byRegion: ordersByRegion { key { region } count amount { sum } }
				byMonth: ordersByMonth { key { orderedAt } count amount { sum } }
				byStatus: ordersByStatus { key { status } count }
				byCategory: ordersByCategory { key { product { category } } count amount { sum } }
				newest: orders(order: NEWEST, limit: 10) { id customer amount orderedAt }
				largest: orders(order: LARGEST, limit: 10) { id customer amount region }
				topCustomers(limit: 10) { key { customer } amount { sum } count }
				byQuantity: ordersByQuantity { key { quantity } count }
				customers: customersByRegion { key { region } customer { countDistinct } }
			}`,
		},
	},
	{
		name: "W4_distinct", title: "of the time since a moment in the first days", targets: targets{throughput: 1.5},
		documents: map[kind]string{
			byHand: "", ofUsher: "query W4_distinct($from: Timestamp!) " + tiles("where: {orderedAt: {gte: $from}}"),
		},
		variables: `{"from":"@"}`, value: within(0, 10*day),
	},
	{
		name: "W5", title: "rows: 1000 orders of 8 columns", targets: targets{throughput: 1, cpu: 1},
		documents: map[kind]string{
			byHand: "", byGqlgen: `query W5 { orders(order: NEWEST, limit: 1000) ` + w5Columns + ` }`,
			ofUsher:      `query W5 { orders(orderBy: [{orderedAt: DESC}], limit: 1000) ` + w5Columns + ` }`,
			postgraphile: `query W5 { orders: allOrdersList(orderBy: [ORDERED_AT_DESC, PRIMARY_KEY_ASC], first: 1000) ` + peer(w5Columns) + ` }`,
		},
	},
	{
		name: "W5_distinct", title: "up to an id", targets: targets{throughput: 1, cpu: 1},
		documents: map[kind]string{
			byHand: "", ofUsher: `query W5_distinct($to: BigInt!) { orders(where: {id: {lte: $to}}, orderBy: [{orderedAt: DESC}], limit: 1000) ` + w5Columns + ` }`,
			postgraphile: `query W5_distinct($to: BigInt!) { orders: allOrdersList(filter: {rowId: {lessThanOrEqualTo: $to}},
				orderBy: [ORDERED_AT_DESC, PRIMARY_KEY_ASC], first: 1000) ` + peer(w5Columns) + ` }`,
		},
		variables: `{"to":"@"}`, value: lateID,
	},
	{
		name: "W6", title: "aggregate of the largest tenant", targets: targets{throughput: 1.5}, large: true,
		documents: map[kind]string{
			byHand: "", byGqlgen: `query W6 { groups: ordersByMonthAndRegion { key { orderedAt region } count amount { sum } } }`,
			ofUsher: `query W6 { groups: ordersAggregate(` + groupsOf + `) ` + groups + ` }`,
		},
	},
	{
		name: "W6_distinct", title: "of the time since a moment in the first days", targets: targets{throughput: 1.5}, large: true,
		documents: map[kind]string{
			byHand: "", ofUsher: `query W6_distinct($from: Timestamp!) { groups: ordersAggregate(where: {orderedAt: {gte: $from}}, ` + groupsOf + `) ` + groups + ` }`,
		},
		variables: `{"from":"@"}`, value: within(0, 10*day),
	},
	{
		name: "Documents", title: "W2's question in a thousand documents that recur", targets: targets{},
		documents: map[kind]string{
			byHand: "", ofUsher: `query Documents { orders(where: {amount: {gte: @}}, ` + newest + `) ` + w2Columns + ` }`,
		},
		variables: `{"least":"@"}`, value: func(out []byte, of *holding, n int) []byte { return smallAmount(out, of, n%1001) },
	},
	{
		name: "Rights", title: "W1 with a thousand tokens, each with conditions of its own", rights: true, targets: targets{},
		documents: map[kind]string{
			byHand: "", ofUsher: `query Rights { orders(` + newest + `) ` + w1Columns + ` }`,
		},
	},
	{
		name: "Ids", title: "orders by a list of 20 to 60 ids, another in each request", targets: targets{},
		documents: map[kind]string{
			byHand: "", ofUsher: `query Ids($ids: [BigInt!]!) { orders(where: {id: {in: $ids}}, orderBy: [{id: ASC}], limit: 100) ` + w1Columns + ` }`,
		},
		variables: `{"ids":[@]}`, value: someIDs,
	},
	{
		name: "Pages", title: "five pages of 20 by cursor, then those of the next tenant", pages: true, targets: targets{},
		documents: map[kind]string{
			byHand: "", ofUsher: `query Pages($after: String) { orders: ordersConnection(orderBy: [{orderedAt: DESC}], first: 20, after: $after) {
				nodes ` + w1Columns + ` pageInfo { hasNextPage endCursor } } }`,
		},
		variables: `{"after":@}`,
	},
}

// peer is a selection of columns in PostGraphile's words.
func peer(columns string) string { return strings.Replace(columns, " id ", " id: rowId ", 1) }

// tiles are the ten tiles of a dashboard, under a condition.
func tiles(where string) string {
	alone := ""
	if where != "" {
		alone, where = "("+where+")", where+", "
	}
	return strings.NewReplacer("WHERE ", where, "ALONE", alone).Replace(`{
		total: ordersAggregateALONE { count amount { sum max } }
		byRegion: ordersAggregate(WHERE orderBy: [{key: {region: ASC}}]) { key { region } count amount { sum } }
		byMonth: ordersAggregate(WHERE orderBy: [{key: {orderedAt: {by: MONTH}}}]) { key { orderedAt(by: MONTH) } count amount { sum } }
		byStatus: ordersAggregate(WHERE orderBy: [{key: {status: ASC}}]) { key { status } count }
		byCategory: ordersAggregate(WHERE orderBy: [{key: {product: {category: ASC}}}]) { key { product { category } } count amount { sum } }
		newest: orders(WHERE orderBy: [{orderedAt: DESC}], limit: 10) { id customer amount orderedAt }
		largest: orders(WHERE orderBy: [{amount: DESC}], limit: 10) { id customer amount region }
		topCustomers: ordersAggregate(WHERE orderBy: [{amount: {sum: DESC}}], limit: 10) { key { customer } amount { sum } count }
		byQuantity: ordersAggregate(WHERE orderBy: [{key: {quantity: ASC}}]) { key { quantity } count }
		customers: ordersAggregate(WHERE orderBy: [{key: {region: ASC}}]) { key { region } customer { countDistinct } }
	}`)
}

const day = 24 * time.Hour

// within are moments between two of the data's time, to the microsecond.
func within(from, to time.Duration) values {
	room := int64((to - from) / time.Microsecond)
	return func(out []byte, _ *holding, n int) []byte {
		const stride = 7_777_777_777 // a prime: no moment twice
		at := origin.Add(from + time.Duration(int64(n)*stride%room)*time.Microsecond)
		return at.AppendFormat(out, "2006-01-02T15:04:05.000000Z")
	}
}

// someReference is a text that orders' references lie around, not among the
// last ones: there are twenty after it.
func someReference(out []byte, _ *holding, n int) []byte {
	const few = 45 // of the letters
	at := 1        // few to the power of the digits that are left
	for range referenceLen {
		at *= few
	}
	rest := n * 7_777_777_777 % at
	for range referenceLen {
		at /= few
		out = append(out, letters[rest/at])
		rest %= at
	}
	return out
}

// smallAmount is one that most orders exceed. There are a prime number of them,
// so that each tenant gets all.
func smallAmount(out []byte, _ *holding, n int) []byte { return appendCents(out, 1000+n%1999) }

// lateID is the id of an order in the last twentieth of the time.
func lateID(out []byte, of *holding, n int) []byte {
	late := of.data.orders/20 - 1 // coprime to the number of tenants: all of them get all ids
	return strconv.AppendInt(out, int64(of.data.orders-1-n*7919%late), 10)
}

// someIDs are 20 to 60 of a tenant's.
func someIDs(out []byte, of *holding, n int) []byte {
	for i := range 20 + n%41 {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, of.ids[(n*13+i*(1+n/41%7))%len(of.ids)], 10)
	}
	return out
}

// names tells whether a plan has a workload, by its name or that of its family.
func (p plan) names(w workload) bool {
	return len(p.only) == 0 || slices.Contains(p.only, w.name) || slices.Contains(p.only, w.family())
}
