// Uses pages with usher's elements as people do, in Chromium:
//   node elements.mjs SCENARIO URL [FOLDER]
// The page is of another origin than usher's and has a strict policy. Fails when
// the page breaks it, reports an error, or does not show what the scenario wants.
// Pictures go into FOLDER.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { launch } from './browser.mjs';

const patience = 30_000; // milliseconds for each step
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const [scenario, address, folder] = process.argv.slice(2);
const scenarios = { kinds, states, setup, tokens, select, controls, typed, paper, sheet, old, passing, whole, alike, fits, odd, attributes, development };
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
    for (const name of ['select', 'change', 'load', 'error']) {
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

// focused is what has the focus, through all shadow roots.
const focused = (page) => page.evaluate(() => {
  let element = document.activeElement;
  const path = [element.localName];
  while ((element = element.shadowRoot?.activeElement)) path.push(element.className || element.localName);
  return path;
});

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
    const number = tile(page, 'number').locator('.value');
    const all = '$12,345,678,901,234,567,890.50'; // which is beyond its place, except where it has a row
    expect('the number', [(await number.innerText()) === all || (await number.innerText()), (await number.getAttribute('title')) ?? all], [width === 390 || width === 800 ? true : '$1.23E19', all]);
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
    const out = tile(page, 'many').locator('.rest');
    if (!/^49\d\d more rows ↓/.test(await out.innerText())) problems.push(`of many rows it says ${await out.innerText()}`);
    await tile(page, 'many').locator('usher-table').evaluate((table) => (table.scrollTop = table.scrollHeight));
    await tile(page, 'many').locator('th', { hasText: 'row 4999' }).waitFor();
    expect('what is below the last', await out.innerText(), '');
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
  await tile(page, 'broken').getByRole('alert').waitFor();
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
  await page.getByRole('alert').filter({ hasText: /The data does not answer.* The numbers are of [A-Z][a-z]+ \d+, \d{4}, \d+:\d\d\s[AP]M\./ }).waitFor();
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
    changing: ['This page is not set up yet', 'its "query" is a mutation', 'SETUP'],
    covered: ['This page is not set up yet', 'its "query" is a mutation', 'SETUP'],
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
  await loaded(page, 'called'); // so, and no mutation
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
  // A page whose function gives no token is told so.
  await page.evaluate(() => {
    const element = document.createElement('usher-dashboard');
    Object.assign(element, { id: 'tokenless', name: 'who', token: async () => undefined });
    document.body.append(element);
  });
  await page.locator('#tokenless').getByRole('alert').filter({ hasText: 'The page handed out no token.' }).waitFor();
  await page.evaluate(() => document.querySelector('#tokenless').remove());
  // Tokens that the page gets by itself.
  await page.evaluate(() => {
    const element = document.createElement('usher-dashboard');
    Object.assign(element, { id: 'third', name: 'who' });
    element.token = async () => (await fetch('/token?who=right', { method: 'POST' })).json();
    document.body.append(element);
  });
  await loaded(page, 'third');
  // A token is refused and its backend has no other one: nothing is shown any more, until there is one again.
  const fourth = () => page.locator('#fourth');
  await page.evaluate(() => {
    const element = document.createElement('usher-dashboard');
    Object.assign(element, { id: 'fourth', name: 'who', tokenUrl: '/token?who=fourth' });
    document.body.append(element);
  });
  await loaded(page, 'fourth');
  await page.request.get(new URL('/lame?is=so', address).href);
  await page.request.get(new URL('/refuse?who=fourth', address).href);
  await page.evaluate(() => document.querySelector('#fourth').refresh());
  await fourth().getByRole('alert').filter({ hasText: '502' }).waitFor();
  expect('the numbers of who has no token', await fourth().locator('.value').count(), 0);
  await page.request.get(new URL('/lame', address).href);
  await page.clock.fastForward(31_000);
  await loaded(page, 'fourth', 2);
  // Who does not answer is not waited for without end, and a page of an origin that may not ask is told so.
  const said = await page.evaluate(async () => {
    const { Client } = await import(new URL('embed.js', document.querySelector('script[src]').src).href);
    const told = async (server, asked) => {
      try {
        await new Client({ server, token: 't', timeout: 200, fetch: asked }).query('{ a }');
      } catch ({ code, message, hint }) {
        return [code, message, hint];
      }
    };
    const silent = (_, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    return [await told('https://usher.example/', silent), await told('https://usher.example/', () => Promise.reject(new TypeError('no'))), await told(location.origin, () => Promise.reject(new TypeError('no')))];
  });
  expect('what is said of who does not answer', said, [['TIMEOUT', 'The server did not answer in time.', null],
    ['NETWORK', 'The server cannot be reached.', `Is ${new URL(address).origin} among its allowed_origins?`], ['NETWORK', 'The server cannot be reached.', '']]);
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
  // By no time zone, or one that is none, days are those of UTC.
  for (const [i, timezone] of ['', 'Mars/X'].entries()) {
    await page.evaluate((timezone) => document.querySelector('#all').setAttribute('timezone', timezone), timezone);
    await loaded(page, 'all', 7 + 2 * i);
    await page.locator('input[type=date]').fill(`2026-07-0${2 + i}`);
    await loaded(page, 'all', 8 + 2 * i);
    expect(`what the day asks in "${timezone}"`, await asked(page), { region: ['US'], from: `2026-07-0${2 + i}T00:00:00Z` });
  }
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
  // By keyboard one goes on where the menu is, whatever was chosen in it.
  const choose = async (name) => {
    await tile(page, 'series').locator('summary').press('Enter');
    await tile(page, 'series').getByRole('button', { name }).press('Enter');
    expect(`the focus after ${name}`, (await focused(page)).at(-1), 'summary');
    expect(`the menu after ${name}`, await tile(page, 'series').locator('details').getAttribute('open'), null);
  };
  await Promise.all([page.waitForEvent('download'), choose('Download PNG')]);
  await Promise.all([page.waitForEvent('download'), choose('Download CSV')]);
  await choose('Show as table');
  await tile(page, 'series').locator('usher-table td').first().waitFor();
  await choose('Show as chart');
  await plot.locator('svg path').first().waitFor({ state: 'attached' });
  await choose('Show as table');
  await clean(page);
  // On paper there are no controls.
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  expect('the controls on paper', await page.locator('select').isVisible(), false);
  expect('paper', await page.locator('usher-dashboard').evaluate((element) => getComputedStyle(element).color), 'rgb(21, 24, 30)');
}

// What controls ask is what was chosen: days by the token's clocks unless the page says others, numbers with all their digits. Times and
// texts are what they are.
async function controls() {
  const page = await open('/?page=controls');
  let times = 1;
  const date = page.locator('input[type=date]');
  const number = page.locator('input[type=number]');
  const asks = async (what, want) => {
    await loaded(page, 'all', ++times);
    expect(what, await page.evaluate(() => fetch('/asked').then((response) => response.text())), want);
  };
  await loaded(page, 'all', times);
  expect('the day at first', await date.inputValue(), '2025-11-01');
  await date.fill('2025-11-02');
  await asks('a day of the token', '{"from":"2025-11-02T05:00:00Z"}');
  expect('the day then', await date.inputValue(), '2025-11-02');
  await page.evaluate(() => document.querySelector('#all').setAttribute('timezone', 'Europe/Berlin'));
  await loaded(page, 'all', ++times);
  await date.fill('2025-11-03');
  await asks('a day of the page', '{"from":"2025-11-02T23:00:00Z"}');
  expect('the day that is shown east of Greenwich', await date.inputValue(), '2025-11-03');
  expect('the day on paper', await page.locator('usher-parameters p span').first().textContent(), 'From: Nov 3, 2025');
  await date.fill('');
  await asks('no day', '{}');
  const write = async (text) => {
    await number.fill('');
    await number.pressSequentially(text);
    await number.press('Tab');
  };
  for (const [text, digits] of [['9007199254740993', '9007199254740993'], ['99999999999999999999', '99999999999999999999'], ['-007.50', '-7.50'], ['.5', '0.5'], ['12', '12'], ['1e3', '1e3']]) {
    await write(text);
    await asks(`the number ${text}`, `{"n":${digits}}`);
  }
  expect('what a page hears', await told(page, 'change').then((all) => all.length), 9);
  // What is no number is told, and not asked for.
  for (const text of ['1e400', '-']) {
    await write(text);
    await page.waitForFunction(() => document.querySelector('#all').shadowRoot.querySelector('usher-parameters').shadowRoot.querySelector('[role=alert]'));
    expect(`what ${text} is`, await number.evaluate((input) => [input.getAttribute('aria-invalid'), input.validity.badInput]), ['true', true]);
    if (folder) await page.screenshot({ path: join(folder, `wrong-number${text}.png`) });
    await clean(page);
    await page.evaluate(() => document.querySelector('#all').refresh());
    await asks(`instead of ${text}`, '{"n":1e3}');
  }
  await write('7');
  await asks('a number again', '{"n":7}');
  expect('what is told then', await page.locator('usher-parameters [role=alert]').count(), 0);
  // A month is a month where it was counted as one; the first day of one is that day.
  await page.evaluate(() => document.querySelector('#all').removeAttribute('timezone'));
  await loaded(page, 'all', ++times);
  const cells = (id) => tile(page, id).locator('tbody tr').first().locator('th, td').allInnerTexts();
  expect('the times', await cells('rows'), ['Jan 1, 2025, 12:00 AM', 'Jan 2025', 'Jan 1, 2025', '1']);
  const words = await tile(page, 'words').locator('usher-text').evaluate((text) => [...text.children].map(({ localName, innerText }) => `${localName}: ${innerText.replaceAll('\n', '|')}`));
  expect('the words', words, ['p: Intro', 'ul: one|two, and on', 'h4: Head', 'p: words', 'ul: a', 'ul: b']);
  await clean(page);
  if (folder) {
    for (const [width, colorScheme] of [[1280, 'light'], [390, 'dark']]) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(folder, `controls-${width}.png`), fullPage: true });
    }
  }
}

// Where a page's policy lets no text become HTML, charts do what they do elsewhere: they are pointed at and read by keys, replaced, and gone.
async function typed() {
  const page = await open('/?page=kinds&typed');
  await loaded(page, 'all');
  const policy = await page.evaluate(async () => (await fetch(location.href)).headers.get('Content-Security-Policy'));
  if (!policy.includes('require-trusted-types-for')) problems.push(`the policy is ${policy}`);
  for (const kind of ['line', 'area', 'bar', 'pie', 'donut', 'scatter', 'heatmap']) {
    const plot = tile(page, kind).locator('usher-plot');
    const tip = plot.locator('.tip');
    await plot.locator('svg path').first().waitFor({ state: 'attached' });
    await plot.press('ArrowRight');
    const said = await plot.getByRole('status').innerText();
    await tip.waitFor();
    if (!(await tip.innerText()).includes(said.split(' ').at(-1))) problems.push(`the tip of ${kind} is ${await tip.innerText()} where ${said} is read`);
    await plot.press('Escape');
    await tip.waitFor({ state: 'hidden' });
    // The pointer meets a mark in the middle of one, or on its way across.
    await plot.scrollIntoViewIfNeeded();
    const places = await plot.evaluate((plot) => {
      const middle = ({ x, y, width, height }, part = 0.5) => [x + width * part, y + height / 2];
      return [...[...plot.querySelectorAll('svg path')].map((path) => middle(path.getBoundingClientRect())), ...[0.2, 0.4, 0.6, 0.8].map((part) => middle(plot.getBoundingClientRect(), part))];
    });
    for (const [x, y] of places.reverse()) {
      await page.mouse.move(x, y);
      await page.waitForTimeout(50);
      if (await tip.isVisible()) break;
    }
    await tip.waitFor();
    if (folder) await tile(page, kind).screenshot({ path: join(folder, `typed-${kind}.png`) });
    await page.mouse.move(0, 0);
  }
  await tile(page, 'line').locator('summary').press('Enter');
  await tile(page, 'line').getByRole('button', { name: 'Show as table' }).press('Enter');
  await tile(page, 'line').locator('usher-table td').first().waitFor();
  expect('the drawings left', await tile(page, 'line').locator('usher-plot').count(), 0);
  await page.evaluate(() => document.querySelector('#all').remove());
  await clean(page);
}

// On paper lists are whole, in all their columns, and it is said what was chosen.
async function paper() {
  const page = await open('/?page=paper', { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' });
  await loaded(page, 'all');
  const list = tile(page, 'long').locator('usher-table');
  await list.locator('th', { hasText: 'number 0' }).waitFor();
  await tile(page, 'bars').locator('usher-plot svg path').first().waitFor({ state: 'attached' });
  const rows = await list.locator('tbody tr').count();
  if (rows > 100) problems.push(`${rows} of 300 rows are in the page`);
  await page.evaluate(() => {
    const inside = (id) => document.querySelector('usher-dashboard').shadowRoot.querySelector(`[data-tile="${id}"]`).shadowRoot;
    addEventListener('beforeprint', () => {
      const text = inside('bars').querySelector('svg text');
      const heads = inside('long').querySelectorAll('thead th');
      globalThis.printed = {
        rows: inside('long').querySelectorAll('tbody tr').length, ink: text.getAttribute('fill') ?? text.style.fill,
        heads: [...heads].every((head) => head.innerText !== '' && head.childElementCount === 0), // Chromium repeats no buttons on the next sheet
        legend: [...inside('bars').querySelectorAll('.legend i')].map((swatch) => getComputedStyle(swatch).printColorAdjust),
      };
    });
  });
  const pages = async () => (await page.pdf({ format: 'A4' })).toString('latin1').match(/\/Type\s*\/Page\b/g).length;
  const sheets = await pages();
  if (sheets < 5) problems.push(`300 rows are on ${sheets} sheets`);
  expect('what was printed', await page.evaluate(() => globalThis.printed), { rows: 300, ink: 'rgb(89, 98, 115)', heads: true, legend: ['exact', 'exact'] });
  expect('the rows in the page afterwards', await list.locator('tbody tr').count(), rows);
  // As wide as A4 is, nothing is cut off.
  await page.emulateMedia({ media: 'print' });
  await page.setViewportSize({ width: 718, height: 1000 });
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  const cut = await page.evaluate(() => {
    const root = document.querySelector('usher-dashboard').shadowRoot;
    return ['long', 'pivot'].flatMap((id) => {
      const tile = root.querySelector(`[data-tile="${id}"]`);
      const { right, bottom } = tile.getBoundingClientRect();
      const cells = [...tile.shadowRoot.querySelectorAll('th, td')].filter((cell) => {
        const box = cell.getBoundingClientRect();
        return box.width === 0 || box.right > right + 1 || box.bottom > bottom + 1 || cell.scrollWidth > cell.clientWidth + 1;
      });
      return [`${id}: ${tile.shadowRoot.querySelectorAll('thead th').length} columns, ${cells.length} cells are cut off ${cells.slice(0, 3).map((cell) => cell.innerText)}`];
    });
  });
  expect('what is cut off', cut, ['long: 9 columns, 0 cells are cut off ', 'pivot: 3 columns, 0 cells are cut off ']);
  expect('what was chosen', await page.locator('usher-parameters p span').allInnerTexts(), ['Region: Europe', 'From: Jun 1, 2026']);
  expect('the controls', await page.locator('select').isVisible(), false);
  // Also where backgrounds are printed, there is none but the paper's.
  expect('what is behind', await page.evaluate(() => {
    const board = document.querySelector('usher-dashboard');
    const sections = [...board.shadowRoot.querySelectorAll('usher-tile')].map((tile) => tile.shadowRoot.querySelector('section'));
    return [...new Set([board, ...sections].map((element) => getComputedStyle(element).backgroundColor))];
  }), ['rgba(0, 0, 0, 0)']);
  if (folder) await page.screenshot({ path: join(folder, 'paper.png'), fullPage: true });
}

// Rows that are wider than their sheet are all on it, in whatever width a page gives them, and no two lie on each other.
async function sheet() {
  const page = await open('/?page=sheet', { viewport: { width: 794, height: 1123 } });
  for (const id of ['left', 'right']) {
    await loaded(page, id);
    await tile(page, 'rows', `#${id}`).locator('tbody tr').nth(20).waitFor({ state: 'attached' });
    await tile(page, 'months', `#${id}`).locator('usher-plot svg path').first().waitFor({ state: 'attached' });
  }
  // Without a time zone, or in one that is none, clocks are those that came.
  for (const timezone of ['', 'Mars/X']) {
    await page.evaluate((timezone) => document.querySelector('#right').setAttribute('timezone', timezone), timezone);
    await tile(page, 'rows', '#right').getByText('Jan 2, 2026, 12:30 PM').first().waitFor({ state: 'attached' });
  }
  await page.evaluate(() => Object.assign(document.querySelector('#sheet').style, { display: 'grid', gridTemplateColumns: '1fr 1fr', gap: '8px' }));
  // On a screen a number is one word, and what is out of sight is said.
  const tall = () => tile(page, 'rows', '#left').locator('tbody .num').evaluateAll((cells) => cells.filter((cell) => cell.offsetParent && cell.getBoundingClientRect().height > 50).length);
  for (const width of [900, 1012, 860]) {
    await page.setViewportSize({ width, height: 1123 });
    expect(`the numbers in several lines at ${width}`, await tall(), 0);
  }
  if (!/^\d+ more rows ↓/.test(await tile(page, 'rows', '#left').locator('.rest').innerText())) problems.push('of rows out of sight nothing is said');
  const [first, third] = [await tile(page, 'one', '#left').boundingBox(), await tile(page, 'three', '#left').boundingBox()];
  if (third.width < first.width * 1.9) problems.push(`the last of three numbers is ${third.width} pixels wide, one of two ${first.width}`);
  const cell = (i) => tile(page, 'rows', '#left').locator('tbody tr').first().locator('th, td').nth(i);
  expect('an id, digits and a clock', [await cell(0).textContent(), await cell(3).textContent(), await cell(4).textContent(), await cell(4).getAttribute('title'), await cell(5).textContent(), await cell(5).getAttribute('title')].map((text) => text?.trim().replace(/\s+/g, ' ')),
    ['1000', '0.08100', '106.08', '106.0798469387755', 'Jan 1, 2026, 12:30 PM', 'Jan 1, 2026, 12:30 PM UTC']);
  await page.emulateMedia({ media: 'print' });
  for (const [width, columns] of [[794, '1fr 1fr'], [794, '1fr'], [718, '1fr 1fr 1fr'], [1122, '1fr 1fr']]) {
    await page.setViewportSize({ width, height: 1123 });
    await page.evaluate((columns) => (document.querySelector('#sheet').style.gridTemplateColumns = columns), columns);
    const measure = () => page.evaluate(() => {
      const wrong = [];
      for (const board of document.querySelectorAll('usher-dashboard')) {
        for (const [id, columns] of [['rows', 10], ['across', 5]]) {
          const tile = board.shadowRoot.querySelector(`[data-tile="${id}"]`);
          const { left, right, bottom } = tile.getBoundingClientRect();
          const rows = tile.shadowRoot.querySelectorAll('tbody tr');
          if (rows.length !== 40) wrong.push(`${rows.length} rows of ${id}`);
          if (right > innerWidth + 1) wrong.push(`${id} ends at ${right}`);
          for (const row of rows) {
            const cells = [...row.children].map((cell) => ({ cell, box: cell.getBoundingClientRect() })).filter(({ box }) => box.width > 0 && box.height > 0);
            const cut = cells.filter(({ cell, box }) => box.left < left - 1 || box.right > right + 1 || box.bottom > bottom + 1 || cell.scrollWidth > cell.clientWidth + 1);
            const over = cells.filter(({ box: a }, i) => cells.some(({ box: b }, j) => j > i && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1));
            if (cells.length !== columns || cut.length + over.length > 0) return [...wrong, `${board.id} ${id}: ${cells.length} cells, cut ${cut.map(({ cell }) => cell.innerText)}, over ${over.map(({ cell }) => cell.innerText)}`];
          }
        }
        const labels = [...board.shadowRoot.querySelector('[data-tile="months"]').shadowRoot.querySelectorAll('svg text')].map((text) => text.textContent).filter((text) => /^[A-Z]/.test(text));
        if (labels[0] !== 'Jan') wrong.push(`the months are ${labels}`);
      }
      if (document.documentElement.scrollWidth > innerWidth) wrong.push(`the sheet is ${document.documentElement.scrollWidth} wide`);
      return wrong;
    });
    // Elements are told of paper, and of its width, when the page is drawn next.
    let found = await measure();
    for (const began = Date.now(); found.length > 0 && Date.now() - began < patience; found = await measure()) await page.waitForTimeout(100);
    expect(`what is wrong on ${width} as ${columns}`, found, []);
    if (folder) await page.screenshot({ path: join(folder, `sheet-${width}-${columns.split(' ').length}.png`) });
  }
  // A drawing has the size of its place after each change of it.
  await page.emulateMedia({ media: 'screen' });
  for (const width of [500, 1400, 794]) {
    await page.setViewportSize({ width, height: 700 });
    expect(`the scale at ${width}`, await tile(page, 'months', '#left').locator('usher-plot svg').evaluate((svg) => svg.getScreenCTM().a), 1);
  }
}

// Numbers that answer what was chosen before are not shown under what is chosen now; what nobody may see is said once.
async function old() {
  const page = await open('/?page=select');
  await loaded(page, 'all');
  await tile(page, 'rows').locator('td').first().waitFor();
  await page.request.get(new URL('/fail?times=1', address).href);
  await page.selectOption('select', { label: 'America' });
  const alert = page.getByRole('alert');
  await alert.filter({ hasText: 'The data does not answer' }).waitFor();
  expect('the numbers under a new choice', await page.locator('usher-tile td, usher-tile svg path.bar, usher-plot').count(), 0);
  expect('the alerts', await alert.count(), 1);
  expect('the control', await page.locator('select').evaluate((element) => element.value), 'America');
  await clean(page);
  await alert.getByRole('button', { name: 'Try again' }).click();
  await tile(page, 'rows').locator('td').first().waitFor();
  expect('what is asked then', await asked(page), { region: ['US'] });
  // A chart whose refresh fails has its numbers still, and says of when they are.
  const chart = await open('/?page=chart');
  await loaded(chart, 'one');
  await chart.locator('usher-plot svg path').first().waitFor({ state: 'attached' });
  await chart.request.get(new URL('/fail?times=1', address).href);
  await chart.evaluate(() => document.querySelector('#one').refresh());
  const late = chart.getByRole('alert').filter({ hasText: 'The numbers are of' });
  await late.waitFor();
  expect('the drawings beside it', await chart.locator('usher-plot svg').count(), 1);
  await clean(chart);
  await late.getByRole('button', { name: 'Try again' }).click();
  await late.waitFor({ state: 'detached' });
  const nothing = await open('/?page=nothing');
  const refused = nothing.getByRole('alert');
  await refused.waitFor();
  expect('what is not for them', [await refused.count(), await refused.innerText()], [1, 'This is not for you to see\nNothing on this dashboard is for you.']);
  expect('what is told', (await told(nothing, 'error')).map(({ tile, code }) => [tile, code]), [[undefined, 'FORBIDDEN']]);
  // A chart with a token for dashboards is a page's mistake, and is told so.
  const only = await open('/?page=only');
  await only.getByRole('alert').filter({ hasText: 'its token is for dashboards only. Give it a token that was made without "dashboards"' }).waitFor();
  expect('what is told', (await told(only, 'error')).map(({ code }) => code), ['SETUP']);
}

// Of what cannot be answered for now the rows of before stay, of when they are is said, and it is no load; of what is refused nothing stays.
async function passing() {
  const page = await open('/?page=select', { clock: true });
  await loaded(page, 'all');
  await tile(page, 'bars').locator('usher-plot svg path').first().waitFor({ state: 'attached' });
  const moment = async (pattern) => {
    const alert = page.locator('usher-dashboard usher-notice').getByRole('alert');
    await alert.filter({ hasText: pattern }).waitFor();
    expect('the alerts above', await alert.count(), 1);
    return /are of (.*)\./.exec(await alert.innerText())[1];
  };
  const fail = async (how, minutes = 2) => {
    await page.clock.fastForward(minutes * 60_000);
    await page.request.get(new URL(`/fail?times=1&how=${how}`, address).href);
    const before = (await told(page, 'error')).length;
    await page.evaluate(() => document.querySelector('#all').refresh());
    await page.waitForFunction((before) => globalThis.told.filter(({ name }) => name === 'error').length > before, before);
    return (await told(page, 'error')).slice(before).map(({ tile, code }) => [tile, code]);
  };
  const shown = async () => [await tile(page, 'bars').locator('usher-plot').count(), await tile(page, 'rows').locator('tbody tr').count(), await tile(page, 'series').locator('usher-plot').count()];
  const first = await page.evaluate(() => new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'America/Chicago' }).format(new Date())); // the dashboard's
  expect('what failed of some', await fail('some'), [['rows', 'TIMEOUT']]);
  const then = await moment(/The numbers of Rows are of /);
  expect('the day', then.split(',')[0], first.split(',')[0]);
  expect('what is shown of some', await shown(), [1, 2, 1]);
  expect('what failed of each', await fail('each'), [[undefined, 'UNAVAILABLE']]);
  expect('of when the oldest are', await moment(/ The numbers are of /), then);
  expect('what is shown of each', await shown(), [1, 2, 1]);
  await fail('');
  expect('of when they are', await moment(/ The numbers are of /), then);
  expect('the loads', (await told(page, 'load')).length, 1);
  if (folder) await page.screenshot({ path: join(folder, 'passing.png'), fullPage: true });
  // A right that is taken back leaves no numbers, whatever else fails.
  expect('what failed of a mixture', await fail('mixed'), [['bars', 'FORBIDDEN'], ['rows', 'UNAVAILABLE'], ['series', 'TOO_MANY_REQUESTS']]);
  await moment(/The numbers of Rows, Series are of /);
  await tile(page, 'bars').getByRole('alert').filter({ hasText: 'This is not for you to see' }).waitFor();
  expect('what is shown of a mixture', await shown(), [0, 2, 1]);
  await fail('ending');
  expect('what is shown at last', await shown(), [0, 0, 1]);
  expect('the notices', await page.locator('usher-dashboard usher-notice').count(), 0);
  // Nor does what is asked wrongly.
  expect('a request that is refused', await fail('BAD_USER_INPUT'), [[undefined, 'BAD_USER_INPUT']]);
  expect('what is shown then', await shown(), [0, 0, 0]);
  // By keyboard it goes on where it was tried again.
  await page.getByRole('button', { name: 'Try again' }).press('Enter');
  await loaded(page, 'all', 2);
  await page.waitForFunction(() => document.querySelector('usher-dashboard').shadowRoot.activeElement);
  expect('the focus', await focused(page), ['usher-dashboard', 'page']);
  await fail('some');
  await page.getByRole('button', { name: 'Try again' }).press('Enter');
  await loaded(page, 'all', 3);
  expect('the focus after the notice', await focused(page), ['usher-dashboard', 'page']);
  // A chart by itself does the same.
  const chart = await open('/?page=chart');
  await loaded(chart, 'one');
  await chart.locator('usher-plot svg path').first().waitFor({ state: 'attached' });
  await chart.request.get(new URL('/fail?times=1&how=each', address).href);
  await chart.evaluate(() => document.querySelector('#one').refresh());
  const late = chart.getByRole('alert').filter({ hasText: 'The numbers are of' });
  await late.waitFor();
  expect('the drawings', await chart.locator('usher-plot svg').count(), 1);
  await late.getByRole('button', { name: 'Try again' }).press('Enter');
  await loaded(chart, 'one', 2);
  expect('the focus in the chart', await chart.evaluate(() => document.activeElement.shadowRoot.activeElement.shadowRoot.activeElement.localName), 'section');
}

// Charts show all that came, or say what they do not.
async function whole() {
  const page = await open('/?page=whole');
  await loaded(page, 'all');
  const texts = async (id) => {
    await tile(page, id).locator('usher-plot svg text').first().waitFor({ state: 'attached' });
    return tile(page, id).locator('usher-plot svg text').allTextContents();
  };
  const said = (id) => tile(page, id).getByRole('img').first().getAttribute('aria-label');
  // A total is that of all parts, and those that can be no slice are told.
  expect('the total', [...new Set(await texts('mixed'))], ['6']);
  expect('what is told beside it', await tile(page, 'mixed').locator('.rest').innerText(), '1 value below zero has no slice');
  if (!(await said('mixed')).endsWith('1 value below zero has no slice.')) problems.push(`of it is read ${await said('mixed')}`);
  expect('what is told of nothing', await tile(page, 'below').locator('.rest').innerText(), '2 values below zero have no slice');
  await tile(page, 'mixed').getByRole('button', { name: 'web' }).click();
  await tile(page, 'mixed').locator('.rest').waitFor({ state: 'detached' });
  expect('the total of the others', [...new Set(await texts('mixed'))], ['8']);
  await tile(page, 'mixed').getByRole('button', { name: 'web' }).click();
  await tile(page, 'mixed').locator('.rest').waitFor();
  // What is counted has no halves.
  expect('the axis of counts', (await texts('counts')).filter((text) => /\d/.test(text)), ['0', '1', '2']);
  // Where one part of a stack has nothing, the stack goes on.
  await texts('days');
  const lines = await tile(page, 'days').locator('usher-plot svg path[fill="none"]').evaluateAll((all) => all.filter((path) => path.getAttribute('stroke-width') === '2').map((path) => path.getAttribute('d').replace(/[^A-Za-z]/g, '')));
  expect('the lines', lines, ['MLL', 'MLL']);
  const plot = tile(page, 'days').locator('usher-plot');
  await plot.focus();
  const heard = [];
  for (const key of ['Home', 'ArrowRight', 'ArrowRight', 'ArrowRight']) {
    await plot.press(key);
    heard.push(await plot.getByRole('status').innerText());
  }
  expect('what is read', heard, ['app, Sep 2026: 1.00', 'web, Sep 2026: 2.00', 'app, Oct 2026: 3.00', 'app, Nov 2026: 5.00']);
  await clean(page);
  if (folder) await page.screenshot({ path: join(folder, 'whole.png'), fullPage: true });
}

// What is the same looks the same: names in colors, numbers in one way, headings in their order.
async function alike() {
  const page = await open('/?page=alike');
  await loaded(page, 'all');
  const colors = async (id) => {
    await tile(page, id).locator('.legend button').nth(1).waitFor();
    return Object.fromEntries((await tile(page, id).locator('.legend button').evaluateAll((buttons) => buttons.map((button) => [button.innerText, button.querySelector('i').className]))).sort());
  };
  expect('the colors of the ring', await colors('round'), { app: 's1', web: 's2' });
  expect('the colors of the days', await colors('days'), { app: 's1', web: 's2' });
  const texts = (id) => tile(page, id).locator('usher-plot svg text').allTextContents();
  await tile(page, 'heat').locator('usher-plot svg text').first().waitFor();
  expect('the cells', (await texts('heat')).filter((text) => /\d/.test(text)).sort(), ['1,000', '1,053', '7', '993']);
  expect('what stands beside the bars', (await texts('beside')).filter((text) => /\d/.test(text)), ['1,234,567 · 2', '1,234,569 · 1']);
  // Names beside an axis have the room that they need, and leave some to what is drawn. What is cut ends where it is read to.
  const ends = (id) =>
    tile(page, id).locator('usher-plot').evaluate((plot) => {
      const { left, width } = plot.getBoundingClientRect();
      const labels = [...plot.querySelectorAll('svg text')].filter(({ textContent }) => !/\d/.test(textContent));
      return { width, ends: labels.map((label) => label.getBoundingClientRect().right - left), texts: labels.map(({ textContent }) => textContent) };
    });
  const short = await ends('heat');
  if (Math.min(...short.ends) > 16) problems.push(`the cells leave ${Math.min(...short.ends)} pixels to names of one letter`);
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await page.waitForFunction((id) => document.querySelector('#all').shadowRoot.querySelector(`[data-tile="${id}"]`).offsetWidth < innerWidth, 'names');
    const named = await ends('names');
    const most = Math.max(...named.ends);
    if (most > Math.min(240, named.width * 0.34) + 8 || most < 60) problems.push(`at ${width} names end ${most} pixels into a chart of ${named.width}`);
    if (!/^a long .*…$/.test(named.texts[0]) || !/…\u200f$/.test(named.texts[1]) || named.texts[2] !== '\u6771\u4eac') problems.push(`at ${width} the names are ${named.texts}`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  const [value, line] = [await tile(page, 'money').locator('.value').boundingBox(), await tile(page, 'money').locator('.trend').boundingBox()];
  if (line.y > value.y + value.height / 2) problems.push('the small line stands below the number');
  expect('the headings', await page.locator('h1, h2, h3, h4').evaluateAll((all) => all.map(({ localName }) => localName)), ['h1', 'h2', 'h3', 'h3', 'h3', 'h3', 'h3', 'h3', 'h3']);
  await clean(page);
  if (folder) await page.screenshot({ path: join(folder, 'alike.png'), fullPage: true });
}

// Numbers are whole, in one line and inside of their tile, whatever room that has; names leave the drawing its place.
async function fits() {
  for (const width of [1280, 1000, 800, 390]) {
    const page = await open('/?page=fits', { viewport: { width, height: 900 } });
    await page.locator('#low').waitFor({ state: 'attached' });
    await page.evaluate((width) => Object.assign(document.querySelector('#low').style, { width: `${Math.min(width - 40, 258)}px`, height: '96px' }), width);
    await loaded(page, 'all');
    await loaded(page, 'low');
    for (const kind of ['line', 'pie', 'donut', 'bar']) await tile(page, kind).locator('.legend button').nth(11).waitFor();
    await page.waitForFunction(() => document.querySelector('#low').shadowRoot.querySelector('usher-tile').shadowRoot.querySelector('section').dataset.room === 'least');
    const found = await page.evaluate(() => {
      const wrong = [];
      for (const element of document.querySelectorAll('usher-dashboard, usher-chart')) {
        for (const tile of element.shadowRoot.querySelectorAll('usher-tile')) {
          const section = tile.shadowRoot.querySelector('section');
          const name = tile.dataset.tile ?? element.id;
          const value = section.querySelector('.value');
          if (section.scrollHeight > section.clientHeight + 1 || section.scrollWidth > section.clientWidth + 1) wrong.push(`${name} is cut: ${section.scrollWidth} by ${section.scrollHeight} in ${section.clientWidth} by ${section.clientHeight}`);
          if (value) {
            const { fontSize, lineHeight } = getComputedStyle(value);
            if (value.scrollWidth > value.clientWidth || value.clientHeight > parseFloat(lineHeight) + 1) wrong.push(`${name} ${value.innerText} is cut or broken at ${fontSize}`);
            if (name.startsWith('large') && value.innerText !== '12,345,678,901,234,567,890.123456' && value.title !== '12,345,678,901,234,567,890.123456') wrong.push(`${name} has only ${value.innerText}`);
            const box = section.getBoundingClientRect();
            for (const part of section.querySelectorAll('.value, .delta, h3, h2')) {
              const { left, right, top, bottom } = part.getBoundingClientRect();
              if (left < box.left || right > box.right + 1 || top < box.top || bottom > box.bottom) wrong.push(`${name}: ${part.className || part.localName} stands outside`);
            }
          } else {
            const plot = section.querySelector('usher-plot').clientHeight;
            if (plot < section.clientHeight * 0.4) wrong.push(`${name} has ${plot} of ${section.clientHeight} for its drawing`);
            for (const button of section.querySelectorAll('.legend button')) {
              if (button.clientHeight > 30 || !button.querySelector('span').title.endsWith('an end ')) wrong.push(`${name} has a name of ${button.clientHeight}`);
            }
          }
        }
      }
      return wrong;
    });
    expect(`what does not fit at ${width}`, found, []);
    await clean(page);
    if (folder) await page.screenshot({ path: join(folder, `fits-${width}.png`), fullPage: true });
    await page.context().close();
  }
}

// What is odd is shown as what it is: times that nothing came for, huge numbers, parts of nothing, and what could not be read.
async function odd() {
  for (const width of [1280, 390]) {
    const page = await open('/?page=odd', { viewport: { width, height: 900 } });
    await page.waitForFunction(() => globalThis.told.filter(({ name }) => name === 'error').length === 2);
    const drawing = async (id) => {
      await tile(page, id).locator('usher-plot svg path').first().waitFor({ state: 'attached' });
      return tile(page, id).locator('usher-plot svg').evaluate((svg) => {
        const seen = [...svg.querySelectorAll('path')].filter((path) => getComputedStyle(path).fillOpacity !== '0' && getComputedStyle(path).opacity !== '0');
        return {
          lines: seen.filter((path) => path.getAttribute('fill') === 'none' && path.getAttribute('stroke-width') === '2').map((path) => path.getAttribute('d').replace(/[^A-Z]/g, '').replace(/M(?!L)/g, '')).filter(Boolean),
          points: seen.filter((path) => /A/.test(path.getAttribute('d')) && path.getAttribute('fill') !== 'none').length,
          texts: [...svg.querySelectorAll('text')].map(({ textContent }) => textContent),
        };
      });
    };
    const said = (id) => tile(page, id).getByRole('img').first().getAttribute('aria-label');
    // Ten of 72 hours: five beside another are lines, the others are seen by themselves, and days are told apart.
    const hours = await drawing('hours');
    expect(`the hours at ${width}`, [hours.lines, hours.points], [['MLLML'], 5]);
    if (!(await said('hours')).startsWith('Line chart: Hours. 10 values from ')) problems.push(`of hours is read ${await said('hours')}`);
    expect('the days', hours.texts.filter((text) => /^Mar \d$/.test(text)), ['Mar 2', 'Mar 3', 'Mar 4']);
    expect('the night of a change', (await drawing('spring')).lines, ['MLL']); // two hours by the clock, and one
    const months = await drawing('months');
    expect('the months', [months.lines, months.points], [['ML'], 3]);
    expect('their order', months.texts.filter((text) => /^[A-Z][a-z]{2}$/.test(text)).slice(0, 2), width === 1280 ? ['Jan', 'Feb'] : months.texts.filter((text) => /^[A-Z][a-z]{2}$/.test(text)).slice(0, 2));
    const bars = (await drawing('bars')).texts.filter((text) => /^Jan/.test(text));
    if (width === 1280) expect('the days of bars', bars, ['Jan 1', 'Jan 2', 'Jan 3', 'Jan 4', 'Jan 5']);
    expect('what happened at any time', (await drawing('events')).lines, ['MLL']);
    // Beyond words numbers are powers of ten, and titles have all digits.
    const number = async (id) => {
      const value = tile(page, id).locator('.value');
      return [await value.innerText(), (await value.getAttribute('title'))?.length];
    };
    expect('1e300', await number('huge'), ['1E300', 401]);
    if (width === 1280) expect('a huge part', await number('part'), ['3.6E20%', 28]);
    for (const id of ['scale', 'cells']) {
      const { texts } = await drawing(id);
      if (!texts.includes('1E300') || !texts.includes('-1E300') || texts.some((text) => text.length > 8)) problems.push(`${id} has ${texts}`);
    }
    // A long name among many takes no more than its place.
    for (const id of ['crowd', 'walk']) {
      const { texts } = await drawing(id);
      if (texts.some((text) => text.length > 30) || !texts.some((text) => /^a long name .*…$/.test(text))) problems.push(`${id} has ${texts}`);
    }
    // A ring without slices has its total.
    expect('the totals', [(await drawing('below')).texts, (await drawing('zero')).texts, (await drawing('absent')).texts], [['-3.5'], ['0'], ['–']]);
    const note = tile(page, 'below').locator('.rest');
    for (const [id, told] of [['below', '2 values below zero have no slice'], ['low', '2 values below zero have no slice'], ['part of low', '1 value below zero has no slice']]) {
      const rest = tile(page, id).locator('.rest');
      expect(`what is told beside ${id}`, await rest.innerText(), told);
      const [inside, ring] = await rest.evaluate((rest) => {
        const { top, bottom } = rest.getBoundingClientRect();
        const drawn = [...rest.parentElement.querySelectorAll('svg path, svg text')].map((each) => each.getBoundingClientRect().bottom);
        return [rest.closest('section').getBoundingClientRect().bottom - bottom, top - Math.max(...drawn)];
      });
      if (inside < 4) problems.push(`at ${width} the note of ${id} ends ${inside} pixels before its card`);
      if (ring < 0) problems.push(`at ${width} the ring of ${id} reaches ${-ring} pixels into its note`);
    }
    expect('the total in little room', (await drawing('low')).texts, ['-3.5']);
    // What could not be read is told where it is missing.
    for (const id of ['some', 'lone']) {
      expect(`what is missing of ${id}`, await tile(page, id).getByRole('note').innerText(), '1 value could not be shown: The value of n is no JSON number.');
      const cut = await tile(page, id).locator('section').evaluate((section) => section.scrollHeight - section.clientHeight);
      if (cut > 1) problems.push(`${id} is ${cut} pixels higher than its place`);
    }
    expect('what is told', (await told(page, 'error')).map(({ tile, code }) => [tile, code]), [['some', 'INTERNAL'], ['lone', 'INTERNAL']]);
    await clean(page);
    if (folder) await page.screenshot({ path: join(folder, `odd-${width}.png`), fullPage: true });
    // On paper a round chart of many names is drawn, with all of them.
    await tile(page, 'slices').locator('.legend button').nth(199).waitFor();
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    const printed = await tile(page, 'slices').locator('section').evaluate((section) => {
      const [box, plot, legend] = [section, section.querySelector('usher-plot'), section.querySelector('.legend')].map((element) => element.getBoundingClientRect());
      const slice = section.querySelector('svg path').getBoundingClientRect();
      return { plot: plot.height > 200 && plot.bottom <= box.bottom + 1 && plot.top >= legend.bottom, slice: slice.height > 1 && slice.bottom <= box.bottom, below: box.bottom };
    });
    expect('what is printed beside', await note.isVisible(), true);
    expect('what is printed', [printed.plot, printed.slice], [true, true]);
    if (folder) await page.screenshot({ path: join(folder, `odd-print-${width}.png`), fullPage: true });
    await page.context().close();
  }
}

// Whatever stands in an attribute is told as the page's mistake, or does nothing; and what is taken away is as if it had never been.
async function attributes() {
  const page = await open('/?page=attributes');
  const query = '{ordersAggregate{key{region}revenue}}';
  const chart = { query, 'token-url': '/token?who=left' };
  const board = { name: 'who', 'token-url': '/token?who=left' };
  const usher = new URL(await page.locator('script[src]').getAttribute('src')).origin;
  const cases = [
    ...['nope', 'Bar', 'constructor', '__proto__'].map((kind) => ['chart', { kind }, 'The "kind" of a chart has to be one of number, table']),
    ...['0.001', '1e9', '-60', 'soon', '4.9', '86401', 'Infinity'].map((refresh) => ['chart', { refresh }, 'Of "refresh" there are 5 to 86400 seconds.']),
    ...[['{"kind":"nope"}', 'kind'], ['{"kind":7}', 'kind'], ['{"x":5}', 'x'], ['{"y":"revenue"}', 'y'], ['{"y":[1]}', 'y'], ['{"columns":["a"]}', 'columns'], ['{"format":[]}', 'format'], ['{"format":{"revenue":7}}', 'format of revenue'],
      ['{"format":{"revenue":{"style":"currency","currency":"money"}}}', 'currency'], ['{"format":{"revenue":{"digits":1000}}}', 'digits'], ['{"format":{"revenue":{"style":"huge"}}}', 'style'], ['{"format":{"key.region":{"unit":"eon"}}}', 'unit'], ['{"series":{}}', 'series'], ['{"text":1}', 'text']].map(([chart, name]) => ['chart', { chart }, `The "${name}" of a chart has to be`]),
    ['chart', { chart: '[' }, 'Write it as chart=\'{"kind": "bar", "stacked": true}\''],
    ['chart', { chart: 'null', kind: 'bar' }, 'is no JSON object: null'],
    ['chart', { variables: '7' }, 'Write it as variables='],
    ['chart', { 'token-url': 'http://' }, 'The attribute "token-url" is no address: http://'],
    ['chart', { 'token-url': '' }, 'Set token-url to a route of your backend'],
    ['chart', { server: 'http://[' }, 'The attribute "server" is no address: http://['],
    ...['javascript:alert(1)', 'not a url', 'usher.example', 'ftp://usher.example', 'https://usher.example/a b', 'data:,x'].flatMap((server) => ['chart', 'dashboard'].map((of) => [of, { server }, `The attribute "server" is no address: ${server}`])),
    ['chart', { server: '/elsewhere/' }, 'Where this chart asks, there is no usher. Write where usher is as server="https://usher.example/".'],
    ['dashboard', { 'token-url': 'https://:80' }, 'The attribute "token-url" is no address'],
    ['dashboard', { server: 'https://' }, 'The attribute "server" is no address'],
    ['dashboard', { parameters: '"EU"' }, 'is no JSON object: EU'],
    ['dashboard', { name: '' }, 'has no "name"'],
    ...[{ kind: '' }, { refresh: '' }, { refresh: '0' }, { refresh: '60' }, { rows: '' }, { x: '' }, { y: ' , ' }, { series: '' }, { chart: '{"x":null,"stacked":"yes","horizontal":3,"nothing":1}' }].map((given) => ['chart', given]),
    ...[{ x: 'no.such' }, { y: 'no.such' }, { series: 'no.such' }, { rows: 'no.such' }, { heading: '<img src=x onerror=alert(1)>', description: '\u0000' }, { exact: 'false' }, { locale: 'x y' }, { timezone: 'Mars/Olympus' }, { theme: 'plaid' }, { server: '' }].map((given) => ['chart', given]),
    ...[{ headless: 'no' }, { locale: '\u2028' }, { timezone: '1' }, { theme: '"' }, { parameters: '{"none":{"of":["these"]}}' }].map((given) => ['dashboard', given]),
  ];
  for (const [i, [of, given, why]] of cases.entries()) {
    const id = `a${i}`;
    const what = `${of} ${JSON.stringify(given)}`;
    await page.evaluate(([of, id, given]) => {
      const element = document.createElement(`usher-${of}`);
      element.id = id;
      for (const [name, value] of Object.entries(given)) element.setAttribute(name, value);
      document.querySelector('main').append(element);
    }, [of, id, { ...(of === 'chart' ? chart : board), ...given }]);
    if (why === undefined) await loaded(page, id).catch(() => problems.push(`${what} is not shown`));
    else {
      await page.locator(`#${id}`).getByRole('alert').filter({ hasText: why }).waitFor();
      expect(`what ${what} tells`, [...new Set((await told(page, 'error')).filter(({ from }) => from === id).map(({ code }) => code))], ['SETUP']);
      expect(`what ${what} shows`, await page.locator(`#${id}`).getByRole('alert').locator('strong').innerText(), 'This page is not set up yet');
    }
    await page.locator(`#${id}`).evaluate((element) => element.remove());
  }
  // A parameter and a variable of that name have the time zone that there is.
  for (const [i, timezone] of ['Nowhere/Land', 'Europe/Vienna', '', 'Mars/X'].entries()) {
    for (const [of, given] of [['dashboard', { ...board, name: 'zoned' }], ['chart', { ...chart, query: `query($timezone: String = "UTC") ${query}` }]]) {
      const id = `zone-${of}-${i}`;
      const [request] = await Promise.all([
        page.waitForRequest((request) => request.method() === 'POST' && /\/zoned$|\/graphql$/.test(request.url())),
        page.evaluate(([of, id, given]) => {
          const element = document.createElement(`usher-${of}`);
          element.id = id;
          for (const [name, value] of Object.entries(given)) element.setAttribute(name, value);
          document.querySelector('main').append(element);
        }, [of, id, { ...given, timezone }]),
      ]);
      const { parameters, variables } = request.postDataJSON();
      expect(`what a ${of} asks by "${timezone}"`, parameters ?? variables, timezone === 'Europe/Vienna' ? { timezone } : {});
      await loaded(page, id);
      await page.locator(`#${id}`).evaluate((element) => element.remove());
    }
  }
  // What is mended is shown, and what is taken away is as if it had never been.
  await page.evaluate(([given, server]) => {
    const element = document.createElement('usher-chart');
    element.id = 'mended';
    for (const [name, value] of Object.entries({ ...given, server, kind: 'nope', refresh: '0.001', x: 'none', y: 'none', rows: 'none', chart: '[', theme: 'dark', locale: 'de' })) element.setAttribute(name, value);
    document.querySelector('main').append(element);
  }, [chart, usher]);
  const mended = page.locator('#mended');
  const asks = [];
  page.on('request', (request) => request.url().endsWith('/graphql') && request.method() === 'POST' && asks.push(request.url()));
  for (const [name, next] of [['chart', '"refresh"'], ['refresh', '"kind"'], ['kind', 'Nothing to show']]) {
    await mended.evaluate((element, name) => element.removeAttribute(name), name);
    await mended.getByText(next).first().waitFor();
  }
  for (const name of ['x', 'y', 'rows', 'theme', 'locale', 'server']) await mended.evaluate((element, name) => element.removeAttribute(name), name);
  await mended.getByRole('img', { name: 'Bar chart' }).first().waitFor();
  await mended.evaluate((element) => element.setAttribute('kind', 'cake'));
  await mended.getByRole('alert').filter({ hasText: 'has to be one of' }).waitFor();
  await mended.evaluate((element) => element.setAttribute('kind', 'table'));
  await mended.locator('tbody tr').first().waitFor();
  if (asks.length > 8) problems.push(`it asked ${asks.length} times`);
  await mended.evaluate((element) => element.removeAttribute('query'));
  await mended.getByRole('alert').filter({ hasText: 'has no "query"' }).waitFor();
}

// An application that is built for development draws every kind, without a word.
async function development() {
  const web = fileURLToPath(new URL('../../console/web/packages/', import.meta.url));
  const here = (name) => fileURLToPath(new URL(`node_modules/${name}`, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [join(web, 'embed/src/embed.ts')], bundle: true, write: false, format: 'esm', target: ['es2022'], conditions: ['development'], define: { 'process.env.NODE_ENV': '"development"' },
    alias: { lit: here('lit'), echarts: here('echarts'), 'lossless-json': here('lossless-json'), '@usher/client': join(web, 'client/src/index.ts') },
    plugins: [{ name: 'css', setup: (of) => of.onLoad({ filter: /\.css$/ }, async ({ path }) => ({ contents: (await transform(await readFile(path, 'utf8'), { loader: 'css' })).code, loader: 'text' })) }],
    logLevel: 'error',
  });
  const page = await open('about:blank');
  page.on('console', (message) => message.type() === 'warning' && !/Lit is in dev mode/.test(message.text()) && problems.push(`warned ${message.text()}`));
  await page.route('**/embed.js', (route) => route.fulfill({ contentType: 'text/javascript', headers: { 'access-control-allow-origin': '*' }, body: outputFiles[0].text }));
  for (const name of ['kinds', 'odd']) {
    await page.goto(new URL(`/?page=${name}`, address).href);
    await page.waitForFunction(() => globalThis.told.length > 0);
    for (const plot of await page.locator('usher-plot').all()) await plot.locator('svg path').first().waitFor({ state: 'attached' });
  }
  for (const kind of ['hours', 'scale', 'cells', 'below', 'slices']) await tile(page, kind).locator('usher-plot svg').first().waitFor();
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
