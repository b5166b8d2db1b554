// Looks at the dashboards of a demo in the console, in Chromium:
//   node dashboards.mjs URL --token NAME --expect TEXT...
// Opens the dashboard Sales as the sample token's holder, waits until it shows every
// expected text, and opens what it says about sharing. See visit.mjs for what else
// makes it fail.
import { parseArgs } from 'node:util';
import { expect, visit } from './visit.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { token: { type: 'string' }, expect: { type: 'string', multiple: true, default: [] } },
});
if (positionals.length !== 1) {
  console.error('usage: node dashboards.mjs URL --token NAME --expect TEXT...');
  process.exit(2);
}
const address = new URL(positionals[0]);

await visit(address, {}, async (page, { settled }) => {
  await page.goto(address.href);
  await page.getByRole('button', { name: values.token }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
  await settled('home');
  await page.getByRole('navigation').getByRole('link', { name: 'Dashboards' }).click();
  await expect(page, '.boards', 'Sales');
  await settled('dashboards');
  await page.getByRole('link', { name: 'Sales' }).click();
  for (const text of values.expect) await expect(page, 'usher-dashboard', text);
  await settled('a dashboard');
  await page.getByRole('button', { name: 'Share' }).click();
  await expect(page, '.secret', '<usher-dashboard name="sales"');
  await settled('sharing');
});
