// Relay in a page, set up as docs/clients.md has it. Its compiler has read
// relay/queries.js and the printed schema.
import { createOperationDescriptor, fetchQuery, getRequest } from 'relay-runtime';
import { environment } from 'setup/relay.js';
import backwards from 'setup/src/__generated__/queriesBackwardsQuery.graphql.js';
import both from 'setup/src/__generated__/queriesBothQuery.graphql.js';
import each from 'setup/src/__generated__/queriesEachQuery.graphql.js';
import forwards from 'setup/src/__generated__/queriesForwardsQuery.graphql.js';
import list from 'setup/src/__generated__/queriesListQuery.graphql.js';
import monthly from 'setup/src/__generated__/queriesMonthlyQuery.graphql.js';
import regional from 'setup/src/__generated__/queriesRegionalQuery.graphql.js';
import { byBoth, byMonth, byOrder, byRegion, ids, problems, same } from './checks.js';

const grouped = (rows, ...fields) =>
  rows?.map((row) => ({ ...Object.fromEntries(fields.map((field) => [field, row.key?.[field]])), count: row.count }));

// kept keeps what was asked from being collected, and reads it from the store.
function kept(query, variables) {
  const operation = createOperationDescriptor(getRequest(query), variables);
  environment.retain(operation);
  return () => environment.lookup(operation.fragment).data;
}

async function run() {
  const ask = async (query, variables = {}) => {
    const read = kept(query, variables);
    await fetchQuery(environment, query, variables).toPromise();
    return read;
  };

  const months = await ask(monthly);
  const regions = await ask(regional);
  const together = await ask(both);
  same('months', grouped(months().ordersAggregate, 'month'), byMonth);
  same('regions', grouped(regions().ordersAggregate, 'region'), byRegion);
  same('months of both', grouped(together().months, 'month'), byMonth);
  same('regions of both', grouped(together().regions, 'region'), byRegion);

  same('groups of orders', grouped((await ask(each))().ordersAggregate, 'id_', 'region'), byOrder);

  // Ids of different types are different objects, rows without an id are none.
  const rows = (await ask(list, { where: {}, limit: null }))();
  same('rows', rows.orders.map(({ id, region, total }) => ({ id, region, total })), byBoth);
  same('customers of orders', [...new Set(rows.orders.map(({ customer }) => customer.name))].sort(), ['Ann', 'Bob']);
  same('customers', rows.customers.map(({ id, name }) => [id, name]), [['1', 'Ann'], ['2', 'Bob']]);
  same('lines', rows.lines.map(({ no, product, pieces }) => [no, product, pieces]), ids.flatMap((_, i) => [[1, 'p1', i + 1], [2, 'p2', i + 1]]));
  same('visits', rows.visits.map(({ page }) => page), ['/', '/', '/orders']);

  // Pages that become one list, from both ends.
  const whole = (await ask(forwards, { first: 4, after: null }));
  const shown = (read) => read().ordersConnection.edges.map((edge) => edge.node.id);
  same('the first page', shown(whole), ids.slice(0, 4));
  for (const rows of [8, 10]) {
    await ask(forwards, { first: 4, after: whole().ordersConnection.pageInfo.endCursor });
    same(`${rows} rows of the list`, shown(whole), ids.slice(0, rows));
  }
  same('the end', whole().ordersConnection.pageInfo.hasNextPage, false);
  const end = await ask(backwards, { last: 3, before: null });
  same('the last page', shown(end), ids.slice(7));
  await ask(backwards, { last: 3, before: end().ordersConnection.pageInfo.startCursor });
  same('the last two pages', shown(end), ids.slice(4));
  same('there is more before', end().ordersConnection.pageInfo.hasPreviousPage, true);
  return problems;
}

window.finished = run();
