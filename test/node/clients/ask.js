// What clients.md has for TanStack Query, without it.
import { options } from 'setup/ask.js';
import { byRegion, problems, same } from './checks.js';

async function run() {
  const regions = options('{ ordersAggregate { key { region } count } }');
  const { ordersAggregate } = await regions.queryFn();
  same('regions', ordersAggregate.map(({ key, count }) => ({ ...key, count })), byRegion);
  const wrong = options('query ($n: Int) { orders(limit: $n) { unknown } }', { n: 1 });
  await wrong.queryFn().then(
    () => problems.push('an unknown field is answered'),
    (error) => same('an unknown field', error.message, 'Cannot query field "unknown" on type "Orders".'),
  );
  if (JSON.stringify(regions.queryKey) === JSON.stringify(wrong.queryKey)) problems.push('two questions have one key');
  return problems;
}

window.finished = run();
