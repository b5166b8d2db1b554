// urql with its normalized cache in a page, set up as docs/clients.md has it.
import { gql } from '@urql/core';
import { client } from 'setup/urql.js';
import { byBoth, byMonth, byOrder, byRegion, ids, problems, same } from './checks.js';

const grouped = (rows, ...fields) =>
  rows?.map((row) => ({ ...Object.fromEntries(fields.map((field) => [field, row.key?.[field]])), count: row.count }));

const monthly = gql`query Monthly { ordersAggregate(as: "months") { key { month: placedOn(by: MONTH) } count } }`;
const regional = gql`query Regional { ordersAggregate(as: "regions") { key { region } count } }`;
const both = gql`query Both {
  months: ordersAggregate(as: "months") { key { month: placedOn(by: MONTH) } count }
  regions: ordersAggregate(as: "regions") { key { region } count }
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
const shown = (data) => data?.ordersConnection.edges.map((edge) => edge.node.id);

async function run() {
  const ask = async (query, variables = {}, context = {}) => {
    const { data, error } = await client.query(query, variables, context).toPromise();
    if (error) problems.push(error.message);
    return data;
  };
  const cached = { requestPolicy: 'cache-only' };

  same('months', grouped((await ask(monthly))?.ordersAggregate, 'month'), byMonth);
  same('regions', grouped((await ask(regional))?.ordersAggregate, 'region'), byRegion);
  same('months, from the cache', grouped((await ask(monthly, {}))?.ordersAggregate, 'month'), byMonth);
  const together = await ask(both);
  same('months of both', grouped(together?.months, 'month'), byMonth);
  same('regions of both', grouped(together?.regions, 'region'), byRegion);

  const each = await ask(gql`{ ordersAggregate(as: "orders") { key { id_ region } count } }`);
  same('groups of orders', grouped(each?.ordersAggregate, 'id_', 'region'), byOrder);

  const rows = await ask(list, { where: {}, limit: null });
  same('rows', rows?.orders.map(({ id, region, total }) => ({ id, region, total })), byBoth);
  same('customers', [...new Set(rows?.orders.map(({ customer }) => customer.name))].sort(), ['Ann', 'Bob']);
  same('rows, from the cache', (await ask(list, { where: {}, limit: null }, cached))?.orders.length, 10);
  const lines = (await ask(gql`{ lines(orderBy: [{ order_id: ASC }, { no: ASC }]) { order_id no product pieces } }`))?.lines;
  same('lines', lines?.map(({ no, product, pieces }) => [no, product, pieces]), ids.flatMap((_, i) => [[1, 'p1', i + 1], [2, 'p2', i + 1]]));
  const visits = (await ask(gql`{ visits(orderBy: [{ page: ASC }]) { id page } }`))?.visits;
  same('visits', visits?.map(({ page }) => page), ['/', '/', '/orders']);

  let page = await ask(pages, { first: 4, after: null, last: null, before: null });
  same('the first page', shown(page), ids.slice(0, 4));
  for (const want of [8, 10]) {
    page = await ask(pages, { first: 4, after: page?.ordersConnection.pageInfo.endCursor });
    same(`${want} rows of the list`, shown(page), ids.slice(0, want));
  }
  const last = (await ask(pages, { last: 3 }, { requestPolicy: 'network-only' }));
  same('the end of the list', shown(last), ids.slice(7));
  const before = await ask(pages, { last: 3, before: last?.ordersConnection.pageInfo.startCursor });
  same('what is before the end', shown(before), ids.slice(4));
  same('the list from its beginning', shown(await ask(pages, { first: 2 })), ids);
  return problems;
}

window.finished = run();
