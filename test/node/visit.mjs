// Visits the console as a person does, and watches: visit(address, options, use)
// opens a page in Chromium and gives it to use, with the steps that people take.
// It fails when the page asked another origin, threw, reported an error (a breach of
// its content security policy is one), kept the token beyond the tab, or is no use
// to those who cannot see it.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { launch } from './browser.mjs';

export const patience = 60_000; // milliseconds for each step, on machines that do much else

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function visit(address, { dark = false, width = 1280, height = 800 }, use) {
  const browser = await launch(address.hostname);
  try {
    const context = await browser.newContext({ colorScheme: dark ? 'dark' : 'light', viewport: { width, height } });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    const problems = [];
    await page.addInitScript(() => {
      globalThis.breaches = [];
      document.addEventListener('securitypolicyviolation', (event) => globalThis.breaches.push(`${event.violatedDirective} ${event.blockedURI}`));
    });
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== address.origin && protocol !== 'data:') problems.push(`asked ${request.url()}`);
    });
    page.on('crash', () => problems.push('crashed'));
    page.on('pageerror', (error) => problems.push(`threw ${error.message}`));
    page.on('dialog', (dialog) => {
      // Whoever leaves what is not saved is asked, and goes on.
      if (dialog.type() === 'beforeunload') return void dialog.accept();
      problems.push(`ran a script: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      // A refused request is an answer: to somebody without a token yet, or with one that has ended.
      const { pathname } = new URL(message.location().url || address);
      if (message.type() !== 'error' || pathname.endsWith('/graphql') || (pathname.endsWith('/dashboards') && / 401 /.test(message.text())) || (pathname.endsWith('/dashboards/none') && / 404 /.test(message.text())) || (pathname.endsWith('/dashboards/choices') && / 400 /.test(message.text()))) return;
      problems.push(`reported ${message.text()} at ${pathname}:${message.location().lineNumber}:${message.location().columnNumber}`);
    });
    try {
      await use(page, { settled: (name) => settled(page, name, problems) });
    } catch (error) {
      const shown = await page.locator('body').innerText({ timeout: 2000 }).catch(() => '(the page does not answer)');
      throw new Error(`${error.message}\n${problems.join('\n')}\nthe console shows at ${page.url()}:\n${shown}`);
    }
    problems.push(...(await page.evaluate(() => globalThis.breaches)).map((breach) => `breached its policy: ${breach}`));
    const kept = await page.evaluate(() => {
      const token = sessionStorage.getItem('usher.token');
      return token !== null && JSON.stringify({ ...localStorage }).includes(token);
    });
    if (kept) problems.push('kept the token in the local storage');
    if (problems.length) throw new Error(`the console ${problems.join('\nthe console ')}`);
  } finally {
    await browser.close();
  }
}

// What axe calls moderate, and tells people where they are.
const ordering = new Set(['region', 'landmark-unique', 'heading-order']);

// settled judges a page once it shows what it is about: nothing of it is wider than
// the window, and axe finds nothing serious.
async function settled(page, name, problems) {
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wider > 0) problems.push(`is ${wider} pixels wider than the window at ${name}: ${await page.evaluate(wide)}`);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const overlaid = await page.locator('.popover').count(); // lists lie above the page, outside of its parts
  for (const { id, impact, nodes } of violations) {
    if (id === 'region' && overlaid) continue;
    if (impact === 'serious' || impact === 'critical' || ordering.has(id)) problems.push(`fails ${id} at ${name}: ${nodes.map(({ target, html }) => `${target.flat().join(' ')} ${html.slice(0, 200)}`).slice(0, 3).join(', ')}`);
  }
}

// wide names what reaches beyond the window, or holds text that does.
function wide() {
  const reach = [...document.body.querySelectorAll('*')].filter((each) => {
    const { left, right } = each.getBoundingClientRect();
    return Math.max(right, getComputedStyle(each).overflowX === 'visible' ? left + each.scrollWidth : 0) > innerWidth + 1;
  });
  return reach.slice(-8).map((each) => each.cloneNode(false).outerHTML.slice(0, 80)).join(' ');
}

// write replaces the text of one of the page's editors.
export async function write(page, label, text) {
  const editor = page.getByRole('textbox', { name: label, exact: true });
  await editor.click();
  await page.keyboard.press('Control+A');
  if (text === '') await page.keyboard.press('Delete');
  else await page.keyboard.insertText(text);
  await page.keyboard.press('Escape');
}

// expect waits until a part of the page has a text.
export async function expect(page, selector, text) {
  try {
    await page.locator(selector).filter({ hasText: text }).first().waitFor();
  } catch {
    const found = await page.locator(selector).allInnerTexts();
    throw new Error(`the console does not show ${text}, but:\n${found.join('\n') || (await page.locator('body').innerText())}`);
  }
}

// asks asks usher with the page's token.
export function asks(page, query, variables) {
  return page.evaluate(
    async ([query, variables]) => {
      const token = sessionStorage.getItem('usher.token');
      const response = await fetch('/graphql', { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify({ query, variables }) });
      return response.json();
    },
    [query, variables],
  );
}
