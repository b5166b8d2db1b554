// Uses the page of examples/embed as a person does, in Chromium:
//   node embed.mjs URL WHO CELL...
// Signs in with the button that names WHO, and waits until the table has rows.
// Fails when they are not the cells, when the page reports an error, and when
// the token is anywhere that outlives the page.
import { launch } from './browser.mjs';

const patience = 30_000; // milliseconds for each step

const [address, who, ...cells] = process.argv.slice(2);
if (!address || !who || cells.length === 0) {
  console.error('usage: node embed.mjs URL WHO CELL...');
  process.exit(2);
}

const browser = await launch(new URL(address).hostname);
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(patience);
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(address);
  await page.getByRole('button', { name: who }).click();
  await page.locator('tbody tr, #problem:not(:empty)').first().waitFor();
  problems.push(...(await page.locator('#problem:not(:empty)').allTextContents()));
  const shown = await page.locator('tbody td').allTextContents();
  if (shown.join('|') !== cells.join('|')) problems.push(`the table has ${JSON.stringify(shown)}`);
  const kept = await page.evaluate(
    () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]) + document.body.outerHTML,
  );
  if (kept.includes('usher_et_')) problems.push('the page keeps the token');
  if (problems.length > 0) throw new Error(problems.join('\n'));
  console.log(`the page shows ${shown.length} cells`);
} finally {
  await browser.close();
}
