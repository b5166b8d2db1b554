package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// cold is how usher answers what it has not been asked before: one client, one
// question after the other.
type cold struct {
	title string
	parts []coldPart
	idle  int64 // memory when ready
	after int64 // and behind the last question
}

// coldPart is some of the questions, in their order.
type coldPart struct {
	name      string
	latencies []time.Duration // sorted
}

// cold measures usher right after its start, each time anew.
func (s *stage) cold(ctx context.Context) ([]cold, error) {
	var out []cold
	for _, one := range []struct {
		title string
		run   func(context.Context) (cold, error)
	}{
		{fmt.Sprintf("The first %d distinct operations after the start", coldOperations), s.coldOperations},
		{fmt.Sprintf("%d tenants, once each", coldTenants), s.coldTenants},
		{fmt.Sprintf("A catalog of %d datasets, each asked once", coldDatasets), s.coldCatalog},
	} {
		c, err := one.run(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.title, err)
		}
		c.title = one.title
		out = append(out, c)
		for _, p := range c.parts {
			progress("%s: %s: p50 %.2f ms, p99 %.2f ms, most %.2f ms", c.title, p.name, ms(p.quantile(0.5)), ms(p.quantile(0.99)), ms(p.quantile(1)))
		}
	}
	return out, nil
}

const (
	coldOperations = 1000
	coldTenants    = 10_000
	coldDatasets   = 500
)

func (p coldPart) quantile(q float64) time.Duration {
	return round{latencies: p.latencies}.quantile(q)
}

// coldOperations asks a thousand documents, of which no two are alike.
func (s *stage) coldOperations(ctx context.Context) (cold, error) {
	v := s.newUsher("cold", s.usher)
	if err := s.configure(v.config, setting{shop: shopC}); err != nil {
		return cold{}, err
	}
	return s.askCold(ctx, v, func() ([]asker, error) {
		var out []asker
		for i := range coldOperations {
			one, err := s.askerOf(v, s.plan.data.rotated()[i%s.plan.data.rotation], unlike(i))
			if err != nil {
				return nil, err
			}
			out = append(out, one)
		}
		return out, nil
	})
}

// unlike is the i-th of operations of lists, relations and groups of which no
// two ask the same of the same columns.
func unlike(i int) workload {
	columns := []string{"reference", "customer", "region", "status", "amount", "quantity", "orderedAt"}
	selection := " id"
	for j, column := range columns {
		if (i>>j)&1 == 1 {
			selection += " " + column
		}
	}
	kinds := []string{
		"orders(orderBy: [{orderedAt: DESC}], limit: 20) {%s }",
		"orders(orderBy: [{reference: ASC}], limit: 20) {%s product { name } }",
		"orders(where: {amount: {gte: 10}}, orderBy: [{orderedAt: DESC}], limit: 10) {%s items(orderBy: [{id: ASC}]) { sku price } }",
		"orders(where: {quantity: {gte: 2}}, orderBy: [{orderedAt: DESC}], limit: 5) {%s }",
		"orders(where: {status: {eq: \"paid\"}}, orderBy: [{orderedAt: DESC}], limit: 20) {%s }",
		"orders(where: {region: {in: [\"north\", \"south\"]}}, orderBy: [{orderedAt: DESC}], limit: 20) {%s product { category } }",
		"orders(orderBy: [{orderedAt: DESC}], limit: 20, offset: 20) {%s }",
		"orders(where: {quantity: {lt: 9}}, orderBy: [{orderedAt: DESC}], limit: 20) {%s items(orderBy: [{id: ASC}]) { id } }",
	}
	name := fmt.Sprintf("Cold%d", i)
	text := fmt.Sprintf("query "+name+" { "+kinds[i>>len(columns)]+" }", selection)
	return workload{name: name, documents: map[kind]string{ofUsher: text}}
}

// coldTenants asks one question in the name of one tenant after the other.
func (s *stage) coldTenants(ctx context.Context) (cold, error) {
	if err := s.someOfEach(ctx); err != nil {
		return cold{}, err
	}
	v := s.newUsher("cold", s.usher)
	how := setting{shop: shopMany, tenants: coldTenants, store: true}
	if err := s.configure(v.config, how); err != nil {
		return cold{}, err
	}
	if err := s.register(ctx, v.config, coldTenants); err != nil {
		return cold{}, err
	}
	return s.askCold(ctx, v, func() ([]asker, error) { return s.everybody(v, workloads[0], coldTenants) })
}

// shopMany holds a few orders of each of very many tenants.
const shopMany = "shop_many"

func (s *stage) someOfEach(ctx context.Context) error {
	if err := create(ctx, s.cluster, shopMany, "LOCALE 'C'"); err != nil {
		return err
	}
	return s.inDatabase(ctx, shopMany, tables, fmt.Sprintf(`INSERT INTO orders
SELECT t * 20 + i, 't' || lpad(t::text, greatest(4, length(t::text)), '0'), 'ref' || i, 'Customer ' || i, 'north', 'open', i, i, 1, timestamptz '%s' + i * interval '1 hour'
FROM generate_series(0, %d) AS t, generate_series(1, 20) AS i`, origin.Format(time.RFC3339), coldTenants-1), fmt.Sprintf(indexes, ""), "VACUUM (ANALYZE)")
}

// coldCatalog asks each dataset of a large catalog.
func (s *stage) coldCatalog(ctx context.Context) (cold, error) {
	v := s.newUsher("cold", s.usher)
	if err := s.configure(v.config, setting{shop: shopC, datasets: coldDatasets}); err != nil {
		return cold{}, err
	}
	return s.askCold(ctx, v, func() ([]asker, error) {
		var out []asker
		for i := range coldDatasets - ownDatasets {
			name := fmt.Sprintf("Cold%d", i)
			one, err := s.askerOf(v, s.plan.data.rotated()[0], workload{name: name, documents: map[kind]string{
				ofUsher: fmt.Sprintf("query %s { catalog%04d(limit: 20) { id name category } }", name, i),
			}})
			if err != nil {
				return nil, err
			}
			out = append(out, one)
		}
		return out, nil
	})
}

func (s *stage) askerOf(v *server, tenant string, w workload) (asker, error) {
	return newAsker(v, w, w.name, s.tokens[tenant][0], s.holdings[tenant])
}

// askCold starts usher and has each asked once, and then all once more.
func (s *stage) askCold(ctx context.Context, v *server, askers func() ([]asker, error)) (c cold, err error) {
	began := time.Now()
	if err := s.start(ctx, v); err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, v.process.stop()) }()
	ready := time.Since(began)
	if _, c.idle, err = usage(v.process.pid(), false); err != nil {
		return c, err
	}
	all, err := askers() // their requests name the server's address
	if err != nil {
		return c, err
	}
	connection, err := dial(ctx, v.address)
	if err != nil {
		return c, err
	}
	defer func() { _ = connection.close() }()
	c.parts = append(c.parts, coldPart{"until usher is ready", []time.Duration{ready}})
	var text []byte
	for _, again := range []string{"", ", asked again"} {
		for from := 0; from < len(all); {
			to := min(max(1, from*10), len(all)) // 1, 10, 100 …
			part := coldPart{name: fmt.Sprintf("questions %d to %d%s", from+1, to, again)}
			for i := from; i < to; i++ {
				text = all[i].request(text[:0], 0)
				asked := time.Now()
				answer, err := connection.ask(text)
				if err != nil {
					return c, err
				}
				part.latencies = append(part.latencies, time.Since(asked))
				if !answered(answer) {
					return c, fmt.Errorf("%s is answered %.300s", all[i].name, answer)
				}
			}
			slices.Sort(part.latencies)
			c.parts = append(c.parts, part)
			from = to
		}
		if err := ctx.Err(); err != nil {
			return c, err
		}
	}
	_, c.after, err = usage(v.process.pid(), false)
	return c, err
}

func (g *growth) coldTables(put func(string, ...any)) {
	put("\n## Cold\n\nusher was started, and one client asked what it had not been asked before; then the same once more. Expected: what is asked for the\n")
	put("first time takes about as long whether it is the tenth or the thousandth.\n")
	for _, c := range g.cold {
		put("\n### %s\n\n| | p50 | p99 | most |\n|---|---|---|---|\n", c.title)
		for _, p := range c.parts {
			put("| %s | %.2f ms | %.2f ms | %.2f ms |\n", p.name, ms(p.quantile(0.5)), ms(p.quantile(0.99)), ms(p.quantile(1)))
		}
		put("\nMemory when ready %d MiB, at the end %d MiB.\n", c.idle>>20, c.after>>20)
	}
}
