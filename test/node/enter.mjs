// Enters the console with a sample token and asks the first sample query, in
// Chromium, wherever the console is published:
//   node enter.mjs URL --token NAME
// Every address on the way is loaded once more, as a bookmark is. See visit.mjs for
// what makes it fail.
import { parseArgs } from 'node:util';
import { expect, visit } from './visit.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { token: { type: 'string' } } });
if (positionals.length !== 1) {
  console.error('usage: node enter.mjs URL --token NAME');
  process.exit(2);
}
const address = new URL(positionals[0]);

await visit(address, {}, async (page) => {
  await page.goto(address.href);
  await page.getByRole('button', { name: values.token }).first().click();
  await page.getByRole('heading', { level: 1, name: /^(Home|Query)$/ }).waitFor();
  await page.getByRole('link', { name: 'Query', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Query' }).waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Run' }).click();
  await expect(page, '.answer .cm-content', '9007199254740993');
});
