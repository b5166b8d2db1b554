// Apollo Client in a page, set up as docs/clients.md has it.
import { ApolloClient, InMemoryCache, gql } from '@apollo/client';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { client, server } from 'setup/apollo.js';
import { token } from 'setup/token.js';
import { byBoth, byMonth, byOrder, byRegion, ids, problems, same } from './checks.js';

const grouped = (rows, ...fields) =>
  rows?.map((row) => ({ ...Object.fromEntries(fields.map((field) => [field, row.key?.[field]])), count: row.count }));

const monthly = gql`query Monthly {
  ordersAggregate { key { month: placedOn(by: MONTH) } count }
}`;
const regional = gql`query Regional {
  ordersAggregate { key { region } count }
}`;
const both = gql`query Both {
  months: ordersAggregate { key { month: placedOn(by: MONTH) } count }
  regions: ordersAggregate { key { region } count }
}`;
const list = gql`query List($where: OrdersWhere, $limit: Int) {
  orders(where: $where, limit: $limit, orderBy: [{ id: ASC }]) { id region total customer { id name } }
}`;
const pages = gql`query Pages($first: Int, $after: String, $last: Int, $before: String) {
  ordersConnection(first: $first, after: $after, last: $last, before: $before, orderBy: [{ id: ASC }]) {
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;
const shown = (data) => data.ordersConnection.edges.map((edge) => edge.node.id);

async function run() {
  const ask = async (query, variables, options) => (await client.query({ query, variables, ...options })).data;

  // Groups of one dataset, asked one after the other and together.
  const watched = [];
  const subscription = client.watchQuery({ query: monthly }).subscribe(({ data }) => data && watched.push(data));
  same('months', grouped((await ask(monthly)).ordersAggregate, 'month'), byMonth);
  same('regions', grouped((await ask(regional)).ordersAggregate, 'region'), byRegion);
  same('months, from the cache', grouped((await ask(monthly, {}, { fetchPolicy: 'cache-only' })).ordersAggregate, 'month'), byMonth);
  const together = await ask(both);
  same('months of both', grouped(together.months, 'month'), byMonth);
  same('regions of both', grouped(together.regions, 'region'), byRegion);
  const kept = client.readQuery({ query: both });
  same('months of both, kept', grouped(kept.months, 'month'), byMonth);
  same('regions of both, kept', grouped(kept.regions, 'region'), byRegion);
  for (const data of watched) same('months, watched', grouped(data.ordersAggregate, 'month'), byMonth);
  subscription.unsubscribe();
  // What is called id elsewhere is the identity of no group.
  const each = await ask(gql`{ ordersAggregate { key { id_ region } count } }`);
  same('groups of orders', grouped(each.ordersAggregate, 'id_', 'region'), byOrder);

  // What groups are by may be said by variables and fragments, too: never taken one for another.
  const uncached = async (query, variables) => (await ask(query, variables, { fetchPolicy: 'no-cache' })).ordersAggregate;
  const sorted = (rows) => // the cache has the members of objects in another order
    rows?.map((row) => JSON.stringify(row, (_, v) => (v && !Array.isArray(v) && typeof v === 'object' ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))) : v)));
  const spread = (fields) => `{ ordersAggregate { ...Spread } } fragment Spread on OrdersAggregate { ${fields} }`;
  gql.disableFragmentWarnings(); // the fragments are of one name
  const asked = [
    [gql`query By($by: TimeUnit) { ordersAggregate { key { placedOn(by: $by) } count } }`, { by: 'MONTH' }, { by: 'YEAR' }],
    [gql`query If($if: Boolean!) { ordersAggregate { key { placedOn region @include(if: $if) } count } }`, { if: true }, { if: false }],
    [gql`query Key($if: Boolean = true) { ordersAggregate { key @include(if: $if) { region } count } }`, {}, { if: false }],
    [gql`query Inline($if: Boolean!) { ordersAggregate { ... @skip(if: $if) { key { region } } count } }`, { if: true }, { if: false }],
    [gql`query Within($if: Boolean!) { ordersAggregate { ...Within } } fragment Within on OrdersAggregate { key { region @skip(if: $if) placedOn(by: YEAR) } count }`, { if: true }, { if: false }],
    [gql(spread('key { region placedOn(by: MONTH) } count')), {}],
    [gql(spread('key { region } count')), {}],
  ];
  for (const [query, ...each] of asked) {
    for (const variables of each) {
      const [got, want] = [sorted((await ask(query, variables)).ordersAggregate), sorted(await uncached(query, variables))];
      same(`groups of ${JSON.stringify(variables)}`, got, want);
      same(`groups of ${JSON.stringify(variables)}, from the cache`, sorted((await ask(query, variables, { fetchPolicy: 'cache-only' })).ordersAggregate), want);
    }
  }

  // Rows are entities; nulls are what is left out.
  const rows = await ask(list, { where: {}, limit: null });
  same('rows', rows.orders.map(({ id, region, total }) => ({ id, region, total })), byBoth);
  same('customers', [...new Set(rows.orders.map(({ customer }) => customer.name))].sort(), ['Ann', 'Bob']);
  const stored = Object.keys(client.cache.extract());
  same('orders in the cache', stored.filter((id) => id.startsWith('Orders:')).length, ids.length);
  same('customers in the cache', stored.filter((id) => id.startsWith('Customers:')).length, 2);
  same('what is no entity', stored.filter((id) => /^(Orders(Key|Aggregate|Connection)|Visits|Table)/.test(id)), []);
  const lines = (await ask(gql`{ lines(orderBy: [{ order_id: ASC }, { no: ASC }]) { order_id no product pieces } }`)).lines;
  same('lines', lines.map(({ no, product, pieces }) => [no, product, pieces]), ids.flatMap((_, i) => [[1, 'p1', i + 1], [2, 'p2', i + 1]]));
  const visits = (await ask(gql`{ visits(orderBy: [{ page: ASC }]) { id page } }`)).visits;
  same('visits', visits.map(({ page }) => page), ['/', '/', '/orders']);

  // Pages, forwards with a merge, and backwards.
  const variables = { first: 4, after: null, last: null, before: null };
  const forwards = client.watchQuery({ query: pages, variables });
  let latest;
  const next = (rows) =>
    new Promise((resolve) => {
      const at = forwards.subscribe(({ data }) => {
        latest = data?.ordersConnection;
        if (!(latest?.edges.length >= rows)) return;
        resolve();
        queueMicrotask(() => at.unsubscribe());
      });
    });
  const whole = forwards.subscribe(() => {});
  for (const rows of [4, 8, 10]) {
    if (latest) await Promise.all([next(rows), forwards.fetchMore({ variables: { after: latest.pageInfo.endCursor } })]);
    else await next(rows);
    same(`${rows} rows of the list`, shown({ ordersConnection: latest }), ids.slice(0, rows));
  }
  same('the end', latest.pageInfo.hasNextPage, false);
  same('the list in the cache', shown(client.readQuery({ query: pages, variables })), ids);
  whole.unsubscribe();
  const last = (await ask(pages, { last: 3 })).ordersConnection;
  same('the last page', last.edges.map((edge) => edge.node.id), ids.slice(7));
  const before = (await ask(pages, { last: 3, before: last.pageInfo.startCursor }, { fetchPolicy: 'no-cache' })).ordersConnection;
  same('the page before it', before.edges.map((edge) => edge.node.id), ids.slice(4, 7));

  same('the list after it, in the cache', shown(client.readQuery({ query: pages, variables })), ids);

  // What is wrong arrives as the error that it is.
  const unknown = await client.query({ query: gql`{ orders { unknown } }`, errorPolicy: 'all' });
  same('an unknown field', unknown.error?.errors?.[0]?.extensions?.code, 'GRAPHQL_VALIDATION_FAILED');
  const batched = new ApolloClient({
    cache: new InMemoryCache(),
    link: new BatchHttpLink({ uri: server, headers: { authorization: `Bearer ${token()}` } }),
  });
  const refused = await batched.query({ query: monthly, errorPolicy: 'all' });
  const said = `${refused.error?.message} ${refused.error?.bodyText}`;
  if (!said.includes('batches are not answered')) problems.push(`a batch: ${said}`);
  return problems;
}

window.finished = run();
