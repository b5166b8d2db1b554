// A broker plugin written after the vendor's documentation, with nothing but
// what Node brings:
//   node plugin.mjs VERSION basic|pushdown
// It listens on loopback, prints its URL on the first line, and ends when its
// standard input does. The secret is in PLUGIN_SECRET.
import { timingSafeEqual, createHash } from 'node:crypto';
import { createServer } from 'node:http';

const [version, mode] = process.argv.slice(2);
const secret = process.env.PLUGIN_SECRET;
if (!['1.0.0', '1.1.0', '2.0.0', '3.0.0'].includes(version) || !['basic', 'pushdown'].includes(mode) || !secret) {
  console.error('usage: PLUGIN_SECRET=... node plugin.mjs VERSION basic|pushdown');
  process.exit(2);
}
const pushdown = mode === 'pushdown';

const columns = [
  { id: 'note', name: { en: 'Note' }, type: 'hierarchy' },
  { id: 'tenant', name: { en: 'Tenant' }, type: 'hierarchy' },
  { id: 'number', name: { en: 'Number' }, type: 'numeric' },
  { id: 'amount', name: { en: 'Amount' }, type: 'numeric' },
  { id: 'placed', name: { en: 'Placed' }, type: 'datetime' },
];
const datasets = [{ id: 'public.orders', name: { en: 'Orders' }, description: { en: 'Everybody\'s orders' }, columns }];

const orders = [];
for (let i = 0; i < 40; i++) {
  orders.push({
    note: i % 7 === 0 ? null : `note ${i % 3}`,
    tenant: i % 2 === 0 ? 'acme' : 'bistro',
    number: i,
    amount: i % 11 === 0 ? null : i / 4,
    placed: new Date(Date.UTC(2026, i % 12, 1 + (i % 28), i % 24)).toISOString(),
  });
}

const hash = (text) => createHash('sha256').update(text).digest();

class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

// A comparison with null is false, but for "not in" and "<>", which it passes.
const comparisons = {
  '=': (cell, [value]) => cell === value,
  '<>': (cell, [value]) => cell !== value,
  '<': (cell, [value]) => cell !== null && cell < value,
  '<=': (cell, [value]) => cell !== null && cell <= value,
  '>': (cell, [value]) => cell !== null && cell > value,
  '>=': (cell, [value]) => cell !== null && cell >= value,
  in: (cell, values) => values.includes(cell),
  'not in': (cell, values) => !values.includes(cell),
  'is null': (cell) => cell === null,
  'is not null': (cell) => cell !== null,
};

// An expression that is not known is an error: a filter left out is a leak.
function passes(row, filters) {
  return filters.every((filter) => {
    const id = version === '1.0.0' ? filter.id : filter.column_id;
    // In the first version an expression has placeholders for the column and its values.
    const bare = version === '1.0.0' ? /^\? (.+?)( \?)?$/.exec(filter.expression)?.[1] : filter.expression;
    const compare = comparisons[bare];
    if (!compare || !columns.some((column) => column.id === id) || !Array.isArray(filter.value)) {
      throw new Refusal(400, `the filter on ${id} is not understood`);
    }
    return compare(row[id], filter.value);
  });
}

function query(question) {
  if (question.id !== 'public.orders') {
    throw new Refusal(404, 'there is no such dataset');
  }
  const { tenant } = question.user.metadata;
  if (!tenant) {
    throw new Refusal(403, 'the metadata names no tenant');
  }
  let rows = orders.filter((row) => row.tenant === tenant);
  if (!pushdown) { // filters are for whoever asks to apply
    return rows.map((row) => columns.map((column) => row[column.id]));
  }
  if (question.options.pushdown) {
    throw new Refusal(501, 'this plugin does not group');
  }
  rows = rows.filter((row) => passes(row, question.filters));
  for (const term of question.order ?? []) {
    const sign = term.order === 'desc' ? -1 : 1;
    const key = term.column_id;
    rows.sort((a, b) => sign * (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0));
  }
  if (question.limit) {
    rows = rows.slice(0, question.limit.by);
  }
  return rows.map((row) => question.columns.map((column) => row[column.column_id]));
}

function answer(request, body) {
  if (!timingSafeEqual(hash(request.headers['x-secret'] ?? ''), hash(secret))) {
    throw new Refusal(403, 'the secret is not that of this plugin');
  }
  if (request.headers['x-property-region'] !== 'eu') {
    throw new Refusal(401, 'the region is missing');
  }
  const listing = version < '2' ? 'GET' : 'POST';
  switch (`${request.method} ${request.url}`) {
    case 'POST /authorize':
      return {};
    case `${listing} /datasets`:
      return datasets;
    case 'POST /query':
      return query(JSON.parse(body));
  }
  throw new Refusal(404, 'there is nothing here');
}

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    let status = 200;
    let reply;
    try {
      reply = answer(request, Buffer.concat(parts).toString());
    } catch (error) {
      status = error instanceof Refusal ? error.code : 500;
      reply = { type: { code: status, description: 'Error' }, message: error.message };
    }
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(reply));
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().on('end', () => {
  server.closeAllConnections();
  server.close(() => process.exit(0));
});
