package analytics

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"usher/principal"
)

// TestShop asks about the sample data.
func TestShop(t *testing.T) {
	t.Parallel()
	ways := openShop(t)
	t.Run("questions", func(t *testing.T) { questions(t, ways) })
	t.Run("pages", func(t *testing.T) { pages(t, ways) })
	t.Run("all tenants", func(t *testing.T) { allTenants(t, ways[:2]) })
}

// questions asks what analysts ask, in GraphQL and in SQL written by hand. All
// columns of the SQL are text; own stands for the condition on the tenant.
func questions(t *testing.T, ways []way) {
	t.Helper()
	f := func(name, document, statement string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			for _, w := range ways {
				answer := w.gateway.Ask(t, w.asTenant(), document, "")
				want := table(t, w.db, strings.ReplaceAll(statement, "own(", "('"+shopTenant+"' = "))
				t.Run(w.name, func(t *testing.T) { compareTables(t, flat(t, answer), want) })
			}
		})
	}

	f("revenue by region and month", `{ ordersAggregate(
		where: {status: {notIn: ["preparing", "refunded"]}}, timezone: "America/Chicago"
		orderBy: [{key: {region: ASC}}, {key: {orderedAt: {by: MONTH}}}]
	) { key { region orderedAt(by: MONTH) } count revenue averageOrder } }`,
		`SELECT region, date_trunc('month', ordered_at AT TIME ZONE 'America/Chicago')::date::text, count(*)::text, sum(total)::text,
			'~' || avg(total)::float8::text
		FROM orders WHERE own(distributor_id) AND status NOT IN ('preparing', 'refunded')
		GROUP BY 1, 2 ORDER BY region NULLS LAST, 2`)

	f("the best products and all others", `{ orderItemsAggregate(topN: {n: 5, by: {revenue: DESC}, others: true}) {
		key { product { name } } isOthers sold revenue profit unitPrice { avg max } } }`,
		`WITH lines AS (
			SELECT p.name, i.quantity, i.unit_price, p.cost FROM order_items i JOIN products p ON p.id = i.product_id WHERE own(i.distributor_id)
		), ranked AS (
			SELECT name, row_number() OVER (ORDER BY sum(quantity * unit_price) DESC, name) AS place FROM lines GROUP BY name
		)
		SELECT CASE WHEN place <= 5 THEN l.name END, CASE WHEN place > 5 THEN 'true' ELSE 'false' END, sum(quantity)::text,
			sum(quantity * unit_price)::text, sum(quantity * (unit_price - cost))::text, '~' || avg(unit_price)::float8::text, max(unit_price)::text
		FROM lines l JOIN ranked r ON r.name = l.name
		GROUP BY CASE WHEN place <= 5 THEN place ELSE 6 END, 1, 2 ORDER BY CASE WHEN place <= 5 THEN place ELSE 6 END`)

	f("what promotions are a part of", `{ ordersAggregate(orderBy: [{total: {sum: DESC}}]) {
		key { promotion { kind } } count countShare runningCount total { sum sumShare runningSum } discounts } }`,
		`WITH kinds AS (
			SELECT p.kind, count(*) AS n, sum(o.total) AS paid, sum(o.discount) AS off
			FROM orders o LEFT JOIN promotions p ON p.id = o.promotion_id WHERE own(o.distributor_id) GROUP BY 1
		)
		SELECT kind, n::text, '~' || (n / sum(n) OVER ()::float8)::text, (sum(n) OVER (ORDER BY paid DESC, kind NULLS LAST))::text, paid::text,
			'~' || (paid::float8 / sum(paid::float8) OVER ())::text, (sum(paid) OVER (ORDER BY paid DESC, kind NULLS LAST))::text, off::text
		FROM kinds k ORDER BY k.paid DESC, k.kind NULLS LAST`)

	f("orders nobody reviewed, with a large item", `{ ordersAggregate(
		where: {reviews: {none: {}}, items: {some: {quantity: {gte: 3}, product: {category: {eq: "Burritos"}}}}}
		orderBy: [{key: {channel: DESC}}]
	) { key { channel } count total { sum max } } }`,
		`SELECT channel, count(*)::text, sum(total)::text, max(total)::text FROM orders o WHERE own(distributor_id)
		AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.order_id = o.id)
		AND EXISTS (SELECT 1 FROM order_items i JOIN products p ON p.id = i.product_id WHERE i.order_id = o.id AND i.quantity >= 3 AND p.category = 'Burritos')
		GROUP BY 1 ORDER BY 1 DESC`)

	f("orders of which every item is vegetarian", `{
		yes: ordersAggregate(where: {items: {every: {product: {vegetarian: {eq: true}}}}}) { count }
		no: ordersAggregate(where: {not: {items: {every: {product: {vegetarian: {eq: true}}}}}}) { count } }`,
		`WITH x AS (SELECT NOT EXISTS (
			SELECT 1 FROM order_items i JOIN products p ON p.id = i.product_id WHERE i.order_id = o.id AND (p.vegetarian = true) IS NOT TRUE
		) AS every FROM orders o WHERE own(distributor_id))
		SELECT count(*)::text FROM x WHERE every UNION ALL SELECT count(*)::text FROM x WHERE NOT every`)

	f("how many orders come back", `{ ordersAggregate(
		having: {count: {gt: 10}}, orderBy: [{key: {channel: ASC}}, {count: DESC}]
	) { key { channel status } count countShare } }`,
		`WITH g AS (SELECT channel, status, count(*) AS n FROM orders WHERE own(distributor_id) GROUP BY 1, 2 HAVING count(*) > 10)
		SELECT channel, status, n::text, '~' || (n / (SELECT sum(n) FROM g)::float8)::text FROM g ORDER BY g.channel, g.n DESC, g.status`)

	f("bins of prices", `{ orderItemsAggregate(where: {unitPrice: {lt: 100}}, orderBy: [{key: {unitPrice: ASC}}]) {
		key { unitPrice(bin: 2.5) } count sold } }`,
		`SELECT (floor(unit_price / 2.5) * 2.5)::text, count(*)::text, sum(quantity)::text FROM order_items WHERE own(distributor_id)
		GROUP BY floor(unit_price / 2.5) ORDER BY floor(unit_price / 2.5)`)

	f("medians and spread of each category", `{ orderItemsAggregate(orderBy: [{key: {product: {category: ASC_NULLS_FIRST}}}]) {
		key { product { category } } unitPrice { median percentile(p: 0.9) stddev variance min max countDistinct } dear } }`,
		`SELECT category, '~' || (percentile_cont(0.5) WITHIN GROUP (ORDER BY unit_price::float8))::text,
			(percentile_disc(0.9) WITHIN GROUP (ORDER BY unit_price))::text, '~' || stddev_samp(unit_price::float8)::text,
			'~' || var_samp(unit_price::float8)::text, min(unit_price)::text, max(unit_price)::text, count(DISTINCT unit_price)::text,
			(percentile_disc(0.9) WITHIN GROUP (ORDER BY unit_price))::text
		FROM order_items i JOIN products p ON p.id = i.product_id WHERE own(distributor_id) GROUP BY category ORDER BY category NULLS FIRST`)

	f("quarters, and those a year before", `{ ordersAggregate(
		where: {orderedAt: {gte: "2025-10-01T00:00:00Z", lt: "2026-10-01T00:00:00Z"}, channel: {neq: "phone"}}
		compareTo: {orderedAt: {n: 1, unit: YEAR}}, orderBy: [{key: {orderedAt: {by: QUARTER}}}, {key: {channel: ASC}}]
	) { key { orderedAt(by: QUARTER) channel } count revenue previous { count revenue total { max } } } }`,
		`WITH q AS (
			SELECT date_trunc('quarter', ordered_at AT TIME ZONE 'UTC') AS quarter, channel, count(*) AS n, sum(total) AS paid, max(total) AS most
			FROM orders WHERE own(distributor_id) AND channel <> 'phone' GROUP BY 1, 2
		)
		SELECT a.quarter::date::text, a.channel, a.n::text, a.paid::text, b.n::text, b.paid::text, b.most::text
		FROM q a JOIN q b ON b.channel = a.channel AND b.quarter = a.quarter - INTERVAL '1 year'
		WHERE a.quarter >= '2025-10-01' AND a.quarter < '2026-10-01' ORDER BY 1, 2`)

	f("the average basket", `{ orderItemsAggregate(orderBy: [{margin: DESC}, {sold: ASC}]) {
		key { product { name } } price margin perLine veggie } }`,
		`SELECT name, '~' || (sum(quantity * unit_price)::float8 / sum(quantity))::text,
			'~' || (1 - sum(quantity * cost)::float8 / sum(quantity * unit_price)::float8)::text, '~' || (sum(quantity * unit_price)::float8 / count(*))::text,
			(sum(quantity) FILTER (WHERE vegetarian))::text
		FROM order_items i JOIN products p ON p.id = i.product_id WHERE own(distributor_id)
		GROUP BY name ORDER BY 1 - sum(quantity * cost)::float8 / sum(quantity * unit_price)::float8 DESC, sum(quantity)`)

	f("each product, with what was sold and said of it", `{ products(orderBy: [{id: ASC}]) {
		name itemsAggregate(where: {order: {status: {eq: "refunded"}}}) { sold count revenue }
		reviewsAggregate(where: {rating: {lte: 2}}) { count averageRating text { countDistinct } } } }`,
		`SELECT p.name, i.sold::text, coalesce(i.n, 0)::text, i.paid::text, coalesce(r.n, 0)::text, '~' || r.rating::text, coalesce(r.texts, 0)::text
		FROM products p
		LEFT JOIN (SELECT product_id, count(*) AS n, sum(quantity) AS sold, sum(quantity * unit_price) AS paid FROM order_items i
			JOIN orders o ON o.id = i.order_id WHERE own(i.distributor_id) AND o.status = 'refunded' GROUP BY 1) i ON i.product_id = p.id
		LEFT JOIN (SELECT product_id, count(*) AS n, avg(rating)::float8 AS rating, count(DISTINCT text) AS texts FROM reviews
			WHERE own(distributor_id) AND rating <= 2 GROUP BY 1) r ON r.product_id = p.id
		ORDER BY p.id`)

	f("the dearest two sales of each product", `{ products(where: {category: {in: ["Tacos", "Sides"]}}, orderBy: [{name: ASC}]) {
		name items(orderBy: [{unitPrice: DESC}, {order: {orderedAt: DESC}}], limit: 2, offset: 1) { id unitPrice order { channel promotion { name } } } } }`,
		`SELECT name, id, unit_price, channel, promotion FROM (
			SELECT p.name, i.id::text AS id, i.unit_price::text AS unit_price, o.channel, q.name AS promotion,
				row_number() OVER (PARTITION BY p.id ORDER BY i.unit_price DESC, o.ordered_at DESC, i.id) AS place
			FROM products p JOIN order_items i ON i.product_id = p.id JOIN orders o ON o.id = i.order_id LEFT JOIN promotions q ON q.id = o.promotion_id
			WHERE own(i.distributor_id) AND p.category IN ('Tacos', 'Sides')) x
		WHERE place IN (2, 3) ORDER BY name, place`)

	f("popular products of each region", `{ orderItemsAggregate(
		where: {order: {region: {isNull: false}, orderedAt: {gte: "2026-01-01T00:00:00Z"}}}
		having: {or: [{sold: {gte: 60}}, {not: {revenue: {gte: 40}}}]}
		orderBy: [{key: {order: {region: ASC}}}, {sold: DESC}]
	) { key { order { region } product { name listPrice } } sold revenue unitPrice { min } } }`,
		`SELECT region, name, list_price::text, sum(quantity)::text, sum(quantity * unit_price)::text, min(unit_price)::text
		FROM order_items i JOIN orders o ON o.id = i.order_id JOIN products p ON p.id = i.product_id
		WHERE own(i.distributor_id) AND region IS NOT NULL AND ordered_at >= '2026-01-01 00:00:00+00'
		GROUP BY region, name, list_price HAVING sum(quantity) >= 60 OR NOT sum(quantity * unit_price) >= 40
		ORDER BY region, sum(quantity) DESC, name`)

	f("every day of two months, reviewed or not", `{ reviewsAggregate(
		where: {writtenAt: {gte: "2025-01-15T00:00:00", lt: "2025-03-15T00:00:00"}}
		fill: true, orderBy: [{key: {writtenAt: {by: DAY}}}]
	) { key { writtenAt(by: DAY) } count runningCount rating { sum runningSum } } }`,
		`WITH days AS (SELECT d::date AS day FROM (SELECT unnest(ARRAY[0,1,2,3,4,5,6,7,8,9]) AS a) x, (SELECT unnest(ARRAY[0,10,20,30,40,50]) AS b) y,
			LATERAL (SELECT DATE '2025-01-15' + (a + b) AS d) z WHERE a + b < 59
		), counted AS (
			SELECT day, count(r.id) AS n, sum(r.rating) AS rating FROM days
			LEFT JOIN reviews r ON r.written_at::date = day AND own(r.distributor_id) GROUP BY day
		)
		SELECT day::text || 'T00:00:00', n::text, (sum(n) OVER (ORDER BY day))::text, rating::text, (sum(rating) OVER (ORDER BY day))::text
		FROM counted ORDER BY day`)

	f("how wide the choice is", `{ orderItemsAggregate(orderBy: [{key: {order: {orderedAt: {by: YEAR}}}}, {key: {order: {channel: ASC}}}]) {
		key { order { orderedAt(by: YEAR) channel } } productId { countDistinct } orderId { countDistinct } count } }`,
		`SELECT date_trunc('year', ordered_at AT TIME ZONE 'UTC')::date::text, channel, count(DISTINCT product_id)::text, count(DISTINCT order_id)::text, count(*)::text
		FROM order_items i JOIN orders o ON o.id = i.order_id WHERE own(i.distributor_id) GROUP BY 1, 2 ORDER BY 1, 2`)

	f("the first and the last order of each channel", `{ ordersAggregate(orderBy: [{key: {channel: ASC}}]) {
		key { channel } orderedAt { min max } first: id_ { first(by: "orderedAt") } total { last(by: "orderedAt") } } }`,
		`SELECT channel, min_at, max_at, a, b FROM (
			SELECT channel, replace(replace(min(ordered_at)::text, ' ', 'T'), '+00', 'Z') AS min_at, replace(replace(max(ordered_at)::text, ' ', 'T'), '+00', 'Z') AS max_at,
				max(CASE WHEN up = 1 THEN id::text END) AS a, max(CASE WHEN down = 1 THEN total::text END) AS b
			FROM (SELECT *, row_number() OVER (PARTITION BY channel ORDER BY ordered_at, id) AS up,
				row_number() OVER (PARTITION BY channel ORDER BY ordered_at DESC, id DESC) AS down FROM orders WHERE own(distributor_id)) o GROUP BY channel) x
		ORDER BY channel`)

	f("ratings by promotion and channel", `{ reviewsAggregate(
		where: {or: [{text: {icontains: "burrito"}}, {text: {isNull: true}}, {order: {total: {gt: 50}}}]}
		orderBy: [{rating: {avg: DESC}}, {count: ASC}]
	) { key { order { channel promotion { kind } } } count rating { avg } } }`,
		`SELECT channel, kind, count(*)::text, '~' || avg(rating)::float8::text
		FROM reviews r JOIN orders o ON o.id = r.order_id LEFT JOIN promotions p ON p.id = o.promotion_id
		WHERE own(r.distributor_id) AND (lower(text) LIKE '%burrito%' OR text IS NULL OR total > 50)
		GROUP BY channel, kind ORDER BY sum(rating)::float8 / count(*) DESC, count(*), channel, kind NULLS LAST`)

	f("the last complete quarter, and this one so far", `{
		previous: ordersAggregate(where: {orderedAt: {previous: {n: 1, unit: QUARTER, timezone: "America/Los_Angeles"}}}) { count revenue }
		toDate: ordersAggregate(where: {orderedAt: {toDate: QUARTER}}) { count revenue }
		last: ordersAggregate(where: {orderedAt: {last: {n: 36, unit: HOUR}}}) { count revenue } }`,
		`SELECT count(*)::text, sum(total)::text FROM orders WHERE own(distributor_id)
			AND ordered_at >= '2026-07-01 07:00:00+00' AND ordered_at < '2026-10-01 07:00:00+00'
		UNION ALL SELECT count(*)::text, sum(total)::text FROM orders WHERE own(distributor_id) AND ordered_at >= '2026-10-01 00:00:00+00'
		UNION ALL SELECT count(*)::text, sum(total)::text FROM orders WHERE own(distributor_id) AND ordered_at >= '2026-11-19 21:30:00+00'`)

	f("promotions by what they did", `{ promotions(orderBy: [{startsOn: ASC}]) {
		name endsOn product { name } ordersAggregate(orderBy: [{key: {region: ASC}}]) { key { region } count revenue discounts } } }`,
		`SELECT p.name, p.ends_on::text, q.name, o.region, count(*)::text, sum(o.total)::text, sum(o.discount)::text
		FROM promotions p LEFT JOIN products q ON q.id = p.product_id JOIN orders o ON o.promotion_id = p.id
		WHERE own(o.distributor_id) GROUP BY p.id, p.name, p.ends_on, p.starts_on, q.name, o.region ORDER BY p.starts_on, p.id, o.region NULLS LAST`)
}

// pages walks through a connection in an order with nulls and ties, both
// ways, and wants every row once.
func pages(t *testing.T, ways []way) {
	t.Helper()
	for _, w := range ways {
		want := table(t, w.db, `SELECT id::text FROM orders WHERE distributor_id = '`+shopTenant+`' AND status = 'refunded'
			ORDER BY region DESC NULLS FIRST, total, orders.id`)
		for _, page := range []struct{ size, start, more, cursor string }{
			{"first", "after", "hasNextPage", "endCursor"}, {"last", "before", "hasPreviousPage", "startCursor"},
		} {
			var got [][]string
			for at := ""; ; {
				raw := w.gateway.Ask(t, w.asTenant(), fmt.Sprintf(`{ ordersConnection(where: {status: {eq: "refunded"}}
					orderBy: [{region: DESC_NULLS_FIRST}, {total: ASC}], %s: 17 %s) { nodes { id } pageInfo { more: %s cursor: %s } totalCount } }`,
					page.size, at, page.more, page.cursor), "")
				var answer struct {
					Data struct {
						OrdersConnection struct {
							Nodes    []struct{ ID json.Number }
							PageInfo struct {
								More   bool
								Cursor string
							}
							TotalCount int
						}
					}
				}
				if err := json.Unmarshal(raw, &answer); err != nil {
					t.Fatalf("%v: %s", err, raw)
				}
				c := answer.Data.OrdersConnection
				if c.TotalCount != len(want) {
					t.Fatalf("%s: the count is %d, want %d: %s", w.name, c.TotalCount, len(want), raw)
				}
				var rows [][]string
				for _, n := range c.Nodes {
					rows = append(rows, []string{string(n.ID)})
				}
				if page.size == "last" {
					got = append(rows, got...)
				} else {
					got = append(got, rows...)
				}
				if !c.PageInfo.More || len(c.Nodes) == 0 {
					break
				}
				at = fmt.Sprintf("%s: %q", page.start, c.PageInfo.Cursor)
			}
			t.Run(w.name+"/"+page.size, func(t *testing.T) { compareTables(t, got, want) })
		}
	}
}

// allTenants asks as the chain itself, which sees every tenant's rows.
func allTenants(t *testing.T, ways []way) {
	t.Helper()
	who := principal.Principal{Subject: "chain", AllTenants: true, Scopes: []principal.Scope{principal.ReadData}, Grant: principal.Grant{Strategy: "shared"}}
	for _, w := range ways {
		answer := w.gateway.Ask(t, who, `{ distributors(orderBy: [{joinedOn: DESC}]) { id name
			ordersAggregate { count revenue } reviewsAggregate(where: {order: {channel: {eq: "app"}}}) { count rating { avg } } } }`, "")
		want := table(t, w.db, `SELECT d.id, d.name, count(o.id)::text, sum(o.total)::text,
				(SELECT count(*)::text FROM reviews r JOIN orders o ON o.id = r.order_id WHERE r.distributor_id = d.id AND o.channel = 'app'),
				(SELECT '~' || avg(rating)::float8::text FROM reviews r JOIN orders o ON o.id = r.order_id WHERE r.distributor_id = d.id AND o.channel = 'app')
			FROM distributors d LEFT JOIN orders o ON o.distributor_id = d.id GROUP BY d.id, d.name, d.joined_on ORDER BY d.joined_on DESC`)
		t.Run(w.name, func(t *testing.T) { compareTables(t, flat(t, answer), want) })
	}
}
