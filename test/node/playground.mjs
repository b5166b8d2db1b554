// Uses the playground as a person does, in Chromium:
//   node playground.mjs URL [--token NAME | --paste TOKEN] [--sample NAME | --query TEXT]
//        [--variables JSON] [--expect TEXT]... [--advice TEXT] [--screenshot FILE] [--dark]
// Picks the sample token whose label begins with NAME or pastes one, opens the
// sample query or types one, runs it, waits until the answer has every expected
// text, and opens the settings. With --advice the page has to say that below its
// bar in the end, and without it nothing.
// Fails as well when the page asks another origin, reports an error (a breach
// of its content security policy is one), or keeps the token beyond the tab.
// CHROMIUM names the browser; without it, the one on the PATH is used.
import { parseArgs } from 'node:util';
import { launch } from './browser.mjs';

const patience = 30_000; // milliseconds for each step

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    token: { type: 'string' },
    paste: { type: 'string' },
    sample: { type: 'string' },
    query: { type: 'string' },
    variables: { type: 'string' },
    expect: { type: 'string', multiple: true, default: [] },
    advice: { type: 'string' },
    screenshot: { type: 'string' },
    dark: { type: 'boolean', default: false },
  },
});
if (positionals.length !== 1) {
  console.error('usage: node playground.mjs URL [options]');
  process.exit(2);
}
const address = new URL(positionals[0]);

const browser = await launch(address.hostname);
try {
  const page = await browser.newPage({
    colorScheme: values.dark ? 'dark' : 'light',
    viewport: { width: 1280, height: 800 },
  });
  page.setDefaultTimeout(patience);
  const problems = [];
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== address.origin && protocol !== 'data:') problems.push(`asked ${request.url()}`);
  });
  page.on('pageerror', (error) => problems.push(`threw ${error.message}`));
  page.on('console', (message) => {
    // A refused request is an answer: to a page without a token yet, or that
    // looks for the samples of a demo.
    const { pathname } = new URL(message.location().url || address);
    if (message.type() !== 'error' || /\/(graphql|playground\/tokens\.json)$/.test(pathname)) return;
    problems.push(`reported ${message.text()}`);
  });

  await use(page);
  const advice = (await page.locator('.usher-advice').allTextContents()).join('\n');
  if (values.advice ? !advice.includes(values.advice) : advice !== '') problems.push(`advises ${JSON.stringify(advice)}`);
  if (values.screenshot) await page.screenshot({ path: values.screenshot });
  await page.getByLabel('Open settings dialog').click();
  await page.getByRole('dialog').waitFor();
  const kept = await page.evaluate(() => {
    const token = document.querySelector('#token').value;
    return token !== '' && JSON.stringify({ ...localStorage }).includes(token);
  });
  if (kept) problems.push('kept the token in the local storage');
  if (problems.length) throw new Error(`the playground ${problems.join('\nthe playground ')}`);
} finally {
  await browser.close();
}

async function use(page) {
  await page.goto(address.href);
  if (!(await page.locator('#playground').count())) throw new Error(`${address} is not the playground`);
  await page.locator('#token').waitFor();
  if (values.token) await choose(page, '#sample-token', values.token);
  if (values.paste) {
    await page.locator('#token').fill(values.paste);
    await page.locator('#token').press('Enter');
  }
  if (values.sample) await choose(page, '#sample-query', values.sample);
  if (values.query) await write(page, '.graphiql-query-editor', values.query);
  if (values.variables) {
    await page.getByRole('button', { name: 'Variables' }).click();
    await write(page, '.graphiql-editor-tool', values.variables);
  }
  await page.locator('.graphiql-execute-button').click();
  for (const text of values.expect) {
    try {
      await page.waitForFunction(
        (expected) =>
          document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue().includes(expected),
        text,
      );
    } catch {
      throw new Error(`the playground does not show ${text}, but:\n${await answer(page)}`);
    }
  }
  console.log(await answer(page));
}

// choose picks the option whose label begins with the text.
async function choose(page, selector, text) {
  const labels = await page.locator(`${selector} option`).allTextContents();
  const label = labels.find((candidate) => candidate.startsWith(text));
  if (label === undefined) throw new Error(`the playground offers ${labels.join(', ')}; not ${text}`);
  await page.locator(selector).selectOption({ label });
}

// write replaces the content of one of the page's visible editors.
async function write(page, selector, text) {
  await page.locator(`${selector} .CodeMirror:visible`).evaluate((editor, content) => {
    editor.CodeMirror.setValue(content);
  }, text);
}

function answer(page) {
  return page.evaluate(
    () => document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue() ?? '',
  );
}
