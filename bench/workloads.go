package main

// workload is one question, put to each kind of server in its own words. The
// answers are the same.
type workload struct {
	name, title string
	large       bool    // asked by the largest tenant alone
	target      float64 // throughput wanted of usher at least, as a ratio to the baseline; 0: none is set
	targetCPU   float64 // the same for its own CPU per request, at most
	usher       string  // the document for usher
	gqlgen      string  // the document for the gqlgen server
}

var workloads = []workload{
	{
		name: "W1", title: "list: the 20 newest orders, 5 columns", target: 0.85, targetCPU: 1.5,
		usher:  `{ orders(orderBy: [{orderedAt: DESC}], limit: 20) { id customer region amount orderedAt } }`,
		gqlgen: `{ orders(order: NEWEST, limit: 20) { id customer region amount orderedAt } }`,
	},
	{
		name: "W1text", title: "list: the first 20 orders by a text, in code-point order",
		usher:  `{ orders(orderBy: [{reference: ASC}], limit: 20) { id reference customer amount status } }`,
		gqlgen: `{ orders(order: REFERENCE, limit: 20) { id reference customer amount status } }`,
	},
	{
		name: "W2", title: "list with relations: 20 orders, their product and their items", target: 0.85,
		usher: `{ orders(orderBy: [{orderedAt: DESC}], limit: 20) { id customer amount orderedAt product { name category }
			items(orderBy: [{id: ASC}]) { sku quantity price } } }`,
		gqlgen: `{ orders(order: NEWEST, limit: 20) { id customer amount orderedAt product { name category } items { sku quantity price } } }`,
	},
	{
		name: "W3", title: "aggregate: orders and revenue by month and region", target: 1.2,
		usher: byMonthAndRegion, gqlgen: gqlgenByMonthAndRegion,
	},
	{
		name: "W4", title: "dashboard: ten tiles in one operation", target: 1.5,
		usher: `{
			total: ordersAggregate { count amount { sum max } }
			byRegion: ordersAggregate(orderBy: [{key: {region: ASC}}]) { key { region } count amount { sum } }
			byMonth: ordersAggregate(orderBy: [{key: {orderedAt: {by: MONTH}}}]) { key { orderedAt(by: MONTH) } count amount { sum } }
			byStatus: ordersAggregate(orderBy: [{key: {status: ASC}}]) { key { status } count }
			byCategory: ordersAggregate(orderBy: [{key: {product: {category: ASC}}}]) { key { product { category } } count amount { sum } }
			newest: orders(orderBy: [{orderedAt: DESC}], limit: 10) { id customer amount orderedAt }
			largest: orders(orderBy: [{amount: DESC}], limit: 10) { id customer amount region }
			topCustomers: ordersAggregate(orderBy: [{amount: {sum: DESC}}], limit: 10) { key { customer } amount { sum } count }
			byQuantity: ordersAggregate(orderBy: [{key: {quantity: ASC}}]) { key { quantity } count }
			customers: ordersAggregate(orderBy: [{key: {region: ASC}}]) { key { region } customer { countDistinct } }
		}`,
		gqlgen: `{
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
	{
		name: "W5", title: "rows: 1000 orders of 8 columns", target: 1.0, targetCPU: 1.0,
		usher:  `{ orders(orderBy: [{orderedAt: DESC}], limit: 1000) { id reference customer region status amount quantity orderedAt } }`,
		gqlgen: `{ orders(order: NEWEST, limit: 1000) { id reference customer region status amount quantity orderedAt } }`,
	},
	{
		name: "W6", title: "aggregate of the largest tenant", target: 1.5, large: true,
		usher: byMonthAndRegion, gqlgen: gqlgenByMonthAndRegion,
	},
}

const (
	byMonthAndRegion = `{ groups: ordersAggregate(orderBy: [{key: {orderedAt: {by: MONTH}}}, {key: {region: ASC}}]) {
		key { orderedAt(by: MONTH) region } count amount { sum } } }`
	gqlgenByMonthAndRegion = `{ groups: ordersByMonthAndRegion { key { orderedAt region } count amount { sum } } }`
)
