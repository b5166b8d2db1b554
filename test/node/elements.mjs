// Uses pages with usher's elements as people do, in Chromium:
//   node elements.mjs SCENARIO URL [FOLDER]
// The page is of another origin than usher's and has a strict policy. Fails when
// the page breaks it, reports an error, or does not show what the scenario wants.
// Pictures go into FOLDER.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { launch } from './browser.mjs';

const patience = 30_000; // milliseconds for each step
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const [scenario, address, folder] = process.argv.slice(2);
const scenarios = { kinds, states, setup, tokens, select };
if (!scenarios[scenario] || !address) {
  console.error('usage: node elements.mjs SCENARIO URL [FOLDER]');
  process.exit(2);
}

let browser;
const problems = [];

function expect(what, got, want) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) problems.push(`${what} is ${a}, not ${b}`);
}

// open opens a page that notes what it should not do, and what the elements tell.
async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-US', reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  if (options.clock) await page.clock.install();
  page.on('pageerror', (error) => problems.push(`threw ${error.message}`));
  page.on('console', (message) => {
    const asked = message.location().url ?? '';
    // A refused request is an answer.
    if (message.type() === 'error' && !/\/(dashboards\/|graphql$|token|no-such-route)/.test(asked)) problems.push(`reported ${message.text()}`);
  });
  await page.addInitScript(() => {
    globalThis.told = [];
    globalThis.breaches = [];
    document.addEventListener('securitypolicyviolation', (event) => globalThis.breaches.push(`${event.violatedDirective} ${event.blockedURI}`));
    for (const name of ['select', 'load', 'error']) {
      document.addEventListener(`usher:${name}`, (event) => {
        const { tile, values, error } = event.detail;
        globalThis.told.push({ name, from: event.target.id, tile, values, code: error?.code });
      });
    }
  });
  await page.goto(new URL(path, address).href);
  return page;
}

const told = (page, name) => page.evaluate((name) => globalThis.told.filter((event) => event.name === name), name);

// loaded waits until an element has told so many answers.
async function loaded(page, id, times = 1) {
  await page.waitForFunction(([id, times]) => globalThis.told.filter(({ name, from }) => name === 'load' && from === id).length >= times, [id, times]);
}

const tile = (page, id, of = '') => page.locator(`${of} usher-tile[data-tile="${id}"]`);

async function clean(page) {
  expect('the breaches of the policy', await page.evaluate(() => globalThis.breaches), []);
  await page.evaluate(axe).catch(async () => {
    // The page's policy lets no text become a script; the tool comes around it.
    const session = await page.context().newCDPSession(page);
    await session.send('Page.setBypassCSP', { enabled: true });
    await session.send('Runtime.evaluate', { expression: axe });
  });
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' ')}`);
  });
  expect('what axe finds', found, []);
}

// Every kind is drawn, in light and dark and in all widths, and says in words what it shows.
async function kinds() {
  for (const [width, colorScheme] of [[1280, 'light'], [1280, 'dark'], [390, 'light'], [800, 'dark']]) {
    const page = await open('/?page=kinds', { viewport: { width, height: 900 }, colorScheme });
    await loaded(page, 'all');
    for (const [kind, sentence] of [
      ['line', 'Line chart: line. 3 values from Sep 2026 to Nov 2026. app, web. Highest 7.00 (web, Nov 2026), lowest 1.00 (app, Sep 2026).'],
      ['area', 'Area chart: area.'],
      ['bar', 'Bar chart: bar.'],
      ['pie', 'Pie chart: pie.'],
      ['donut', 'Donut chart: donut.'],
      ['scatter', 'Scatter plot: scatter.'],
      ['heatmap', 'Heat map: heatmap.'],
    ]) {
      const image = tile(page, kind).getByRole('img').first();
      await tile(page, kind).locator('usher-plot svg path').first().waitFor({ state: 'attached' });
      const said = await image.getAttribute('aria-label');
      if (!said.startsWith(sentence)) problems.push(`${kind} says ${said}`);
    }
    expect('the number', await tile(page, 'number').locator('.value').innerText(), '$12,345,678,901,234,567,890.50');
    expect('its change', await tile(page, 'number').locator('.badge').innerText(), '23.5%');
    // Numbers that a double would round, and names that would be markup.
    const cells = await tile(page, 'table').locator('tbody tr').first().locator('th, td').allInnerTexts();
    if (width > 1000) expect('the row', cells.slice(0, 3).map((text) => text.trim()), ['<img src=x onerror="alert(1)">\n<img src=x onerror="alert(1)">', '9,007,199,254,740,993', '1.50']);
    await tile(page, 'pivot').locator('td', { hasText: '7.00' }).waitFor();
    expect('the pivot', await tile(page, 'pivot').locator('thead th').allInnerTexts(), ['Month', 'app', 'web']);
    expect('the words', await tile(page, 'text').locator('h4, strong, a').allInnerTexts(), ['Words', 'strong', 'a link']);
    expect('the links', await tile(page, 'text').locator('a').evaluateAll((links) => links.map(({ href }) => href)), ['https://example.com/']);
    // Of many rows those in sight are in the page, and the last is reached.
    const rows = await tile(page, 'many').locator('tbody tr').count();
    if (rows > 80) problems.push(`${rows} of 5000 rows are in the page`);
    await tile(page, 'many').locator('usher-table').evaluate((table) => (table.scrollTop = table.scrollHeight));
    await tile(page, 'many').locator('th', { hasText: 'row 4999' }).waitFor();
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) problems.push(`the page is wider than ${width}`);
    await clean(page);
    if (folder) await page.screenshot({ path: join(folder, `kinds-${width}-${colorScheme}.png`), fullPage: true });
    await page.context().close();
  }
  // A chart of its own, whose kind and columns are guessed.
  const page = await open('/?page=chart');
  await loaded(page, 'one');
  const said = await page.locator('usher-chart').getByRole('img').first().getAttribute('aria-label');
  expect('the chart', said, 'Bar chart: Regions. 2 values from EU to US. Highest 40.00 (US), lowest 35.50 (EU).');
  await clean(page);
}

// A tile says that it waits, that there is nothing, and what failed.
async function states() {
  const page = await open('/?page=states', { clock: true });
  await tile(page, 'slow').waitFor();
  const waiting = tile(page, 'slow').getByRole('status');
  await waiting.waitFor({ state: 'attached' });
  await waiting.waitFor({ state: 'visible' });
  if (folder) await page.screenshot({ path: join(folder, 'loading.png') });
  const height = (await tile(page, 'slow').boundingBox()).height;
  await page.request.get(new URL('/release', address).href);
  await loaded(page, 'all');
  await tile(page, 'slow').locator('usher-plot svg').first().waitFor();
  expect('the height when it is there', (await tile(page, 'slow').boundingBox()).height, height);
  expect('what is empty', await tile(page, 'empty').locator('.state strong').innerText(), 'Nothing to show');
  const alert = tile(page, 'broken').getByRole('alert');
  expect('what failed', await alert.locator('strong').innerText(), 'This could not be loaded');
  await alert.locator('summary').click();
  expect('its id', await alert.locator('code').innerText(), 'r-broken');
  expect('the error', (await told(page, 'error')).map(({ tile, code }) => [tile, code]), [['broken', 'TIMEOUT']]);
  await clean(page);
  if (folder) await page.screenshot({ path: join(folder, 'states.png'), fullPage: true });
  await alert.getByRole('button', { name: 'Try again' }).click();
  await tile(page, 'broken').locator('.value', { hasText: '42' }).waitFor();
  // The server fails: what is shown stays, and it is said that it is old. A minute later it is well again.
  await page.request.get(new URL('/fail?times=1', address).href);
  await page.clock.fastForward(61_000);
  await page.getByRole('alert').filter({ hasText: 'The data does not answer' }).waitFor();
  expect('what is shown', await tile(page, 'broken').locator('.value').innerText(), '42');
  const before = (await told(page, 'load')).length;
  await page.clock.fastForward(61_000);
  await loaded(page, 'all', before + 1);
  expect('the notices', await page.getByRole('alert').count(), 0);
  // No such dashboard.
  const nothing = await open('/?page=missing');
  await nothing.getByRole('alert').filter({ hasText: 'There is no such dashboard' }).waitFor();
  await clean(nothing);
}

// What a page lacks is shown in the element, with what to do, and told.
async function setup() {
  const page = await open('/?page=setup');
  const wants = {
    nameless: ['This page is not set up yet', 'has no "name"', 'SETUP'],
    questionless: ['This page is not set up yet', 'has no "query"', 'SETUP'],
    unread: ['This page is not set up yet', "The attribute \"parameters\" is no JSON object: {region: 'EU'}", 'SETUP'],
    listed: ['This page is not set up yet', 'is no JSON object: [1]', 'SETUP'],
    tokenless: ['This page is not set up yet', 'Set token-url to a route of your backend', 'SETUP'],
    nowhere: ['The page got no token', '/no-such-route answered 4', 'NO_TOKEN'],
    html: ['The page got no token', 'answered a page and no token', 'NO_TOKEN'],
    empty: ['The page got no token', 'answered no token', 'NO_TOKEN'],
    errors: ['The page got no token', 'answered without a token', 'NO_TOKEN'],
    broken: ['The page got no token', 'answered no JSON', 'NO_TOKEN'],
    failing: ['This could not be loaded', 'The source shop does not answer.', 'UNAVAILABLE'],
  };
  for (const [id, [title, why, code]] of Object.entries(wants)) {
    const alert = page.locator(`#${id}`).getByRole('alert').first();
    await alert.filter({ hasText: why }).waitFor();
    expect(`what ${id} shows`, await alert.locator('strong').innerText(), title);
    expect(`what ${id} tells`, (await told(page, 'error')).filter(({ from }) => from === id).map((event) => event.code)[0], code);
  }
  await page.locator('#words').getByText('Hello').waitFor();
  // What is mended is shown.
  await page.evaluate(() => document.querySelector('#nameless').setAttribute('name', 'who'));
  await page.evaluate(() => document.querySelector('#unread').setAttribute('parameters', '{"region": "EU"}'));
  for (const id of ['nameless', 'unread']) await tile(page, 'who', `#${id}`).locator('.value').waitFor();
  await clean(page);
}

// Whose token is used where, and until when.
async function tokens() {
  const page = await open('/?page=two', { clock: true });
  await loaded(page, 'left');
  await loaded(page, 'right');
  const shown = (of) => tile(page, 'who', of).locator('.value').innerText();
  expect('what both see', [await shown('#left'), await shown('#right')], ['1', '2']);
  // Tokens of 20 seconds are replaced two seconds before.
  await page.clock.fastForward(18_500);
  await page.evaluate(() => document.querySelector('#left').refresh());
  await loaded(page, 'left', 2);
  // One is refused before its time, as after a restart: it is replaced once.
  await page.request.get(new URL('/refuse?who=left', address).href);
  await page.evaluate(() => document.querySelector('#left').refresh());
  await loaded(page, 'left', 3);
  expect('what both see later', [await shown('#left'), await shown('#right')], ['1', '2']);
  // Access is taken from one: it shows nothing any more and asks no more; the other goes on.
  await page.request.get(new URL('/revoke?who=left', address).href);
  await page.evaluate(() => document.querySelector('#left').refresh());
  await page.locator('#left').getByRole('alert').filter({ hasText: 'Access has ended' }).waitFor();
  expect('the numbers left', await page.locator('#left .value').count(), 0);
  await page.clock.fastForward(300_000);
  await page.evaluate(() => document.querySelector('#right').refresh());
  await loaded(page, 'right', 2);
  expect('what the other sees', await shown('#right'), '2');
  await clean(page);
  if (folder) await page.screenshot({ path: join(folder, 'revoked.png') });
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]) + document.documentElement.outerHTML);
  if (kept.includes('token-of-')) problems.push('the page keeps a token');
  // Browsers that do not show the source of a number keep digits, too.
  const digits = await page.evaluate(async () => {
    const { parse } = await import(new URL('embed.js', document.querySelector('script[src]').src).href);
    const text = '{"a":9007199254740993,"b":1.50,"c":2,"d":"1.50","e":-1.5e30}';
    const read = async (native) => {
      const values = await parse(text, native);
      return [JSON.stringify(values), Object.values(values).map((value) => [typeof value, String(value), Number(value)])];
    };
    return [await read(true), await read(false)];
  });
  expect('the digits', digits[0], ['{"a":9007199254740993,"b":1.50,"c":2,"d":"1.50","e":-1.5e30}',
    [['object', '9007199254740993', 9007199254740992], ['object', '1.50', 1.5], ['number', '2', 2], ['string', '1.50', 1.5], ['object', '-1.5e30', -1.5e30]]]);
  expect('the digits there', digits[1], digits[0]);
  // Tokens that the page gets by itself.
  await page.evaluate(() => {
    const element = document.createElement('usher-dashboard');
    Object.assign(element, { id: 'third', name: 'who' });
    element.token = async () => (await fetch('/token?who=right', { method: 'POST' })).json();
    document.body.append(element);
  });
  await loaded(page, 'third');
}

// What is chosen filters the others, is told, and can be saved.
async function select() {
  const page = await open('/?page=select', { acceptDownloads: true });
  await loaded(page, 'all');
  const chart = tile(page, 'bars').locator('usher-plot svg');
  const first = async () => {
    const { x, width, y, height } = await chart.boundingBox();
    await page.mouse.click(x + width * 0.5, y + 10 + (height - 40) / 4); // the upper of two lying bars
  };
  await chart.locator('path').first().waitFor({ state: 'attached' });
  await first();
  await loaded(page, 'all', 2);
  expect('what was told', await told(page, 'select'), [{ name: 'select', from: 'all', tile: 'bars', values: { 'key.region': 'EU' } }]);
  expect('what was asked', await asked(page), { region: ['EU'] });
  expect('the control', await page.locator('select').evaluate((element) => element.value), 'Europe');
  // Chosen again it is taken back, by keyboard in the table, too.
  await tile(page, 'rows').getByRole('button', { name: 'EU' }).press('Enter');
  await loaded(page, 'all', 3);
  expect('what was asked then', await asked(page), {});
  // The page may do something else.
  await page.evaluate(() => document.querySelector('#all').addEventListener('usher:select', (event) => event.preventDefault()));
  await tile(page, 'rows').getByRole('button', { name: 'US' }).click();
  expect('what a page hears', (await told(page, 'select')).length, 3);
  await page.selectOption('select', { label: 'America' });
  await loaded(page, 'all', 4);
  expect('what the control asks', await asked(page), { region: ['US'] });
  // The page's own values, and a day in a time zone.
  await page.evaluate(() => document.querySelector('#all').setAttribute('parameters', '{"from": "2026-01-01T00:00:00Z"}'));
  await loaded(page, 'all', 5);
  expect('what the page asks', await asked(page), { region: ['US'], from: '2026-01-01T00:00:00Z' });
  await page.locator('input[type=date]').fill('2026-07-01');
  await loaded(page, 'all', 6);
  expect('what the day asks', await asked(page), { region: ['US'], from: '2026-07-01T05:00:00Z' });
  // Charts say their values to the arrow keys.
  const plot = tile(page, 'series').locator('usher-plot');
  await plot.focus();
  const heard = [];
  for (const key of ['ArrowRight', 'ArrowRight', 'End', 'Home']) {
    await plot.press(key);
    heard.push(await plot.getByRole('status').innerText());
  }
  expect('what the arrows say', heard, ['app, Sep 2026: 1.00', 'web, Sep 2026: 2.00', 'web, Nov 2026: 7.00', 'app, Sep 2026: 1.00']);
  await plot.press('Escape');
  // Legends hide series, by keyboard.
  const app = tile(page, 'series').getByRole('button', { name: 'app' });
  await app.press('Enter');
  expect('the legend', await app.getAttribute('aria-pressed'), 'false');
  // Files have all digits, and no formulas.
  const save = async (id, name) => {
    if (id !== 'rows') await tile(page, id).locator('summary').click();
    const [download] = await Promise.all([page.waitForEvent('download'), tile(page, id).getByRole('button', { name }).click()]);
    return { name: download.suggestedFilename(), content: await readFile(await download.path()) };
  };
  const csv = await save('rows', 'Export CSV');
  expect('the file', [csv.name, csv.content.toString('utf8')], ['Rows.csv', '\ufeffRegion,Count,Note\r\nEU,9007199254740993,"\'=1+1, ""quoted"""\r\nUS,2.50,\r\n']);
  const png = await save('series', 'Download PNG');
  expect('the picture', [png.name, png.content.subarray(1, 4).toString()], ['Series.png', 'PNG']);
  await tile(page, 'series').locator('summary').click();
  await tile(page, 'series').getByRole('button', { name: 'Show as table' }).click();
  await tile(page, 'series').locator('usher-table td').first().waitFor();
  await clean(page);
  // On paper there are no controls.
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  expect('the controls on paper', await page.locator('select').isVisible(), false);
  expect('paper', await page.locator('usher-dashboard').evaluate((element) => getComputedStyle(element).color), 'rgb(21, 24, 30)');
}

async function asked(page) {
  return (await page.request.get(new URL('/asked', address).href)).json();
}

browser = await launch(new URL(address).hostname);
try {
  await scenarios[scenario]();
  if (problems.length > 0) throw new Error(problems.join('\n'));
} finally {
  await browser.close();
}
