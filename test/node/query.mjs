// Uses the console's Query page as a person does, in Chromium:
//   node query.mjs URL [--token NAME | --paste TOKEN] [--sample NAME | --query TEXT]
//        [--variables JSON] [--expect TEXT]... [--explained TEXT] [--refused TEXT]
//        [--screenshot FILE] [--dark] [--width PIXELS]
// URL is of the server. Picks the sample token whose label begins with NAME or
// pastes one, opens the sample query or types one, runs it, and waits until the
// answer has every expected text; with --refused, until the way back to signing in
// says so. See visit.mjs for what else makes it fail.
// CHROMIUM names the browser; without it, the one on the PATH is used.
import { parseArgs } from 'node:util';
import { expect, visit, write } from './visit.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    token: { type: 'string' },
    paste: { type: 'string' },
    sample: { type: 'string' },
    query: { type: 'string' },
    variables: { type: 'string' },
    expect: { type: 'string', multiple: true, default: [] },
    explained: { type: 'string' },
    refused: { type: 'string' },
    screenshot: { type: 'string' },
    dark: { type: 'boolean', default: false },
    width: { type: 'string', default: '1280' },
  },
});
if (positionals.length !== 1) {
  console.error('usage: node query.mjs URL [options]');
  process.exit(2);
}
const address = new URL(positionals[0]);

await visit(address, { dark: values.dark, width: Number(values.width) }, async (page, { settled }) => {
  await page.goto(address.href);
  await page.waitForURL(/\/console(\/|$)/);
  await page.waitForLoadState('networkidle');
  if (!(await page.locator('#console').count())) throw new Error(`${address} is not the console`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await settled('sign-in');
  if (values.token) {
    await page.getByRole('button', { name: values.token }).first().click();
  } else {
    await page.getByRole('tab', { name: 'Token' }).click();
    await page.getByLabel('Token', { exact: true }).last().fill(values.paste);
    await page.getByRole('button', { name: 'Use this token' }).click();
  }
  if (values.refused) {
    await expect(page, '[role=alert]', values.refused);
    return;
  }
  await page.getByRole('heading', { name: 'Query', level: 1 }).waitFor(); // where the address led to
  if (values.sample) {
    await page.getByRole('button', { name: 'Samples' }).click();
    await page.getByRole('menuitem', { name: values.sample }).click();
  }
  if (values.query) await write(page, 'Operation', values.query);
  if (values.variables) await write(page, 'Variables, as JSON', values.variables);
  if (values.explained) await page.getByText('Explain', { exact: true }).click();
  await page.getByRole('button', { name: 'Run' }).click();
  for (const text of values.expect) await expect(page, '.answer .cm-content', text);
  console.log(await page.locator('.answer .cm-content').innerText());
  await settled('query');
  if (values.explained) {
    await page.getByRole('tab', { name: 'How it came to be' }).click();
    await expect(page, '.explained', values.explained);
    await settled('explain');
  }
  if (values.screenshot) await page.screenshot({ path: values.screenshot });
  await page.getByRole('button', { name: 'Docs' }).click();
  await page.locator('.docs').getByRole('button', { name: 'Query', exact: true }).click();
  await settled('docs');
});
