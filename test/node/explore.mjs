// Explores as three kinds of people do, in Chromium:
//   node explore.mjs operator|administrator|reader URL PASSWORD FOLDER
// The operator, olga, puts a question together, partly with the keyboard alone, reads
// how the answer came to be, keeps it for all tenants and on a dashboard, and sees it
// with the eyes of tenants and by a source that does not answer. The administrator, ann
// of acme, copies what is shared and deletes the copy. The reader, rita of acme, opens
// it by its link, sees her tenant's rows, and nothing where nothing fits. What ann adds to dashboards, by the
// keyboard, and what is copied of it, is judged on narrow and wide pages. Pictures are
// left in the folder. See visit.mjs for what else makes it fail.
import { join } from 'node:path';
import { asks, expect, visit } from './visit.mjs';

const [kind, base, password, folder] = process.argv.slice(2);
const uses = { operator, administrator, reader };
if (!uses[kind] || !folder) {
  console.error('usage: node explore.mjs operator|administrator|reader URL PASSWORD FOLDER');
  process.exit(2);
}
const address = new URL(base);
const sales = '<b>Sales</b> <img src=x onerror=alert(1)>';
const markup = '<img src=x onerror=alert(3)>';
const title_ = 'Sales of all <img src=x onerror=alert(4)>';

await visit(address, { dark: kind === 'administrator', width: kind === 'reader' ? 390 : 1280 }, (page, watch) => uses[kind](page, watch));

async function operator(page, { settled }) {
  await page.goto(`${base}/console/explore`);
  await enter(page, 'olga');
  await title(page, 'Explore');
  await settled('nothing chosen');

  // Five hundred datasets: the list is there at once, and what is typed is found.
  const picker = page.getByRole('button', { name: 'Choose a dataset' });
  await picker.waitFor();
  const began = performance.now();
  await picker.click();
  await page.getByRole('menuitem').nth(20).waitFor();
  const opened = performance.now() - began;
  await page.keyboard.type('number 499');
  await page.getByRole('menuitem', { name: 'Number 499 of many' }).waitFor();
  const found = performance.now() - began;
  await settled('choosing a dataset');
  console.log(`502 datasets: the list opens in ${Math.round(opened)} ms and finds the last after ${Math.round(found)} ms`);
  if (opened > 3000) throw new Error(`the list of datasets takes ${opened} ms to open`);
  await page.getByRole('searchbox').fill('sales');
  await page.keyboard.press('Enter');
  await expect(page, '.builder .dataset', sales);
  await answered(page, 'Count');
  if (!/dataset/.test(decodeURIComponent(await address_(page, 'sales')))) throw new Error(`the address has no state: ${page.url()}`);

  // With the keyboard alone.
  await add(page, 'Add a measure', 'Revenue');
  await add(page, 'Add what to group by', 'Sold at');
  await page.getByRole('button', { name: 'Line', pressed: true }).waitFor();
  await answered(page, 'Jan');
  // It is said what is drawn, and what is not.
  await page.getByRole('heading', { name: 'Count by Sold at' }).waitFor();
  await expect(page, '.left-out', '1 measure is in the table and not in the chart');
  await page.getByRole('button', { name: 'Draw Revenue' }).click();
  await page.getByRole('heading', { name: 'Revenue by Sold at' }).waitFor();
  await page.getByRole('button', { name: 'Draw Count' }).waitFor();
  await settled('a series');
  await page.screenshot({ path: join(folder, 'explore-line.png') });
  // A long list follows the arrow keys: all of what they are at is in sight, below the field.
  await page.getByRole('button', { name: 'Add a measure', exact: true }).click();
  const measures = page.getByRole('dialog', { name: 'Add a measure' });
  await measures.getByRole('menuitem').first().waitFor();
  await settled('what to measure');
  for (const key of ['ArrowUp', 'ArrowUp', 'ArrowDown', 'ArrowDown']) {
    await page.keyboard.press(key);
    await measures.locator('[data-focused]').waitFor();
    await page.waitForFunction(() => {
      const list = document.querySelector('.picker-inner');
      const [{ bottom }, field, item] = [list, list.querySelector('.search'), list.querySelector('[data-focused]')].map((each) => each.getBoundingClientRect());
      return list.scrollHeight > list.clientHeight && item.top >= field.bottom - 1 && item.bottom <= bottom + 1;
    });
  }
  await page.keyboard.press('Escape');
  await measures.waitFor({ state: 'detached' });
  // What is called so comes first, before what only begins so and stands earlier.
  await page.getByRole('button', { name: 'Add what to group by', exact: true }).click();
  const groups = page.getByRole('dialog', { name: 'Add what to group by' });
  await groups.getByRole('menuitem').first().waitFor();
  const first = async (text) => {
    await groups.getByRole('searchbox').fill(text);
    await groups.getByRole('menuitem').first().locator('.what > span').first().waitFor();
    return groups.getByRole('menuitem').locator('.what > span:first-child').allInnerTexts();
  };
  for (const [typed, want] of [
    ['cit', ['City code', 'City']], ['city', ['City', 'City code']], ['CITY ', ['City', 'City code']], ['city code', ['City code']], ['citycode', ['City code']],
  ]) {
    const got = (await first(typed)).filter((name) => /city/i.test(name));
    if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${typed} finds ${got}, want ${want}`);
  }
  await first('city');
  await page.keyboard.press('Enter');
  await groups.waitFor({ state: 'detached' });
  await add(page, 'Add a condition', 'Status');
  await page.getByRole('button', { name: /Value of Status/ }).click();
  await settled('a condition');
  await page.getByRole('option', { name: 'paid' }).click();
  await answered(page, 'Rome');
  for (const name of ['Remove City (shop)', 'Remove Sold at']) await page.getByRole('button', { name }).click();
  await add(page, 'Add what to group by', 'Region');
  await page.getByRole('button', { name: 'Bars', pressed: true }).waitFor();
  await answered(page, markup);
  await answered(page, '54,043,195,528,454,955.00'); // a double would round it
  await settled('bars');
  await page.screenshot({ path: join(folder, 'explore-bars.png') });

  // What is called so comes first; doubles have all their digits, and no two groups one name.
  await page.getByRole('button', { name: /Remove .*Region/ }).first().click();
  await add(page, 'Add what to group by', 'rat');
  await answered(page, '0.08225');
  await answered(page, '0.08125');
  await page.getByRole('button', { name: 'Remove Rating' }).click();
  await add(page, 'Add what to group by', 'Region');
  await answered(page, markup);

  // What is left out of the middle: percentiles, and the first by a column.
  for (const [name, shown] of [['90th percentile of Total', '90th percentile of Total'], ['First of Total', 'First of Total']]) {
    await add(page, 'Add a measure', name);
    await answered(page, shown);
  }
  await page.getByRole('button', { name: /First and last by/ }).filter({ hasText: 'Sold at' }).waitFor();
  await add(page, 'Add an order', '90th percentile of Total');
  await page.getByRole('button', { name: 'GraphQL', exact: true }).click();
  for (const text of ['total { p90: percentile(p: 0.9) first }', 'rowsBy: soldAt', 'orderBy: [{total: {percentile: {p: 0.9, direction: DESC}}}]']) await expect(page, '.text-of', text);
  await page.getByRole('button', { name: 'Answer', exact: true }).click();
  await page.locator('usher-table tbody tr').nth(2).waitFor();
  for (const name of ['90th percentile of Total', 'First of Total']) await page.getByRole('button', { name: `Remove ${name}` }).first().click();
  await page.locator('usher-chart').filter({ hasText: 'First of Total' }).waitFor({ state: 'detached' });

  // The table begins where its tile does.
  const above = await page.locator('.table-of usher-tile').evaluate((tile) => tile.shadowRoot.querySelector('thead').getBoundingClientRect().top - tile.getBoundingClientRect().top);
  if (above > 2) throw new Error(`${above} pixels above the table are empty`);

  // And nothing stands below it where nothing is out of sight.
  const { width, height } = page.viewportSize();
  for (const wide of [390, 800, width]) {
    await page.setViewportSize({ width: wide, height });
    await page.waitForFunction(() => {
      const root = document.querySelector('.table-of usher-chart').shadowRoot.querySelector('usher-tile').shadowRoot;
      const table = root.querySelector('usher-table');
      return table.scrollHeight > table.clientHeight + 1 || table.scrollWidth > table.clientWidth + 1 || !root.querySelector('.rest');
    });
  }

  // Every way to see as others is in sight, however narrow the window.
  await page.setViewportSize({ width: 320, height });
  await page.getByRole('button', { name: 'See as' }).click();
  await page.getByRole('tab').first().waitFor();
  const cut = await page.getByRole('tab').evaluateAll((tabs) =>
    tabs.filter((tab) => {
      const [part, list] = [tab.getBoundingClientRect(), tab.parentElement.getBoundingClientRect()];
      return part.right > list.right + 1 || part.bottom > list.bottom + 1;
    }).map((tab) => tab.innerText));
  if (cut.length > 0) throw new Error(`the tabs ${cut} are cut`);
  await settled('seeing as others in a narrow window');
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width, height });

  await page.getByRole('button', { name: 'How', exact: true }).click();
  await expect(page, '.how', 'SELECT');
  await settled('how it came to be');
  await page.getByRole('button', { name: 'GraphQL', exact: true }).click();
  await expect(page, '.text-of', 'salesAggregate');
  await page.getByRole('button', { name: 'Answer', exact: true }).click();
  if (page.url().includes(await page.evaluate(() => sessionStorage.getItem('usher.token')))) throw new Error('the address has the token');

  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('menuitem', { name: 'Save…' }).click();
  await page.getByLabel('Title').fill(title_);
  await page.getByRole('dialog').getByRole('button', { name: /Whose/ }).click();
  await page.getByRole('option', { name: 'Shared with all tenants' }).click();
  await settled('saving');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await title(page, title_);
  await answered(page, markup);

  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('menuitem', { name: 'Add to a dashboard' }).click();
  await page.getByLabel('Title of the tile').fill('By region');
  await page.getByLabel('Title of the dashboard').fill('Board of tests');
  await settled('a tile');
  await page.getByRole('dialog').getByRole('button', { name: 'Add to a dashboard' }).click();
  await expect(page, '.toasts', 'By region is on the dashboard.');

  // With the eyes of a tenant, beside one's own.
  await eyes(page, 'See as', { tenant: 'acme', subject: 'eyes', strategy: 'shared' });
  await expect(page, '.banner.eyes', 'Seen as acme|eyes. Strategy: shared. Until');
  await page.getByRole('button', { name: 'Beside mine' }).click();
  await expect(page, '.differences', '3 differ');
  await expect(page, '.differs', /\d/);
  await settled('side by side');
  await page.screenshot({ path: join(folder, 'explore-eyes.png'), fullPage: true });
  await eyes(page, 'Beside another', { tenant: 'other', subject: 'more' });
  await expect(page, '.banner.eyes', 'Seen as other|more.');
  await expect(page, '.whose', 'other|more');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page, '.said', /rows/);
  // By a source that does not answer.
  await eyes(page, 'See as', { tenant: 'acme', subject: 'away', strategy: 'away' });
  await expect(page, '.state.failed', /A source does not answer|This could not be answered/);
  await expect(page, '.banner.eyes', 'Strategy: away.');
  await settled('a source that does not answer');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await answered(page, markup);
  await go(page, 'Dashboards');
  await page.getByRole('link', { name: 'Board of tests' }).click();
  await expect(page, 'usher-dashboard', 'By region');
}

async function administrator(page, { settled }) {
  await page.goto(`${base}/console/saved`);
  await enter(page, 'acme|ann');
  await title(page, 'Saved');
  await expect(page, '.kept', title_);
  await expect(page, '.kept', 'shared with all tenants');
  await settled('saved');
  await page.screenshot({ path: join(folder, 'saved.png') });
  await page.getByRole('button', { name: `Actions: ${title_}` }).click();
  if (await page.getByRole('menuitem', { name: 'Delete' }).count()) throw new Error('she may delete what all tenants share');
  await page.getByRole('menuitem', { name: 'Make a copy' }).click();
  await page.locator('.check', { hasText: 'The tenant’s' }).click();
  await settled('copying');
  await page.getByRole('dialog').getByRole('button', { name: 'Make a copy' }).click();
  await expect(page, '.kept', 'of this tenant');
  if (await page.locator('.kept > li').count() !== 1) throw new Error('the copy does not hide what it is of');
  await page.getByRole('link', { name: title_ }).click();
  await title(page, title_);
  await answered(page, markup);
  await settled('an exploration');
  await page.getByRole('button', { name: 'Remove Revenue' }).click();
  await expect(page, '.page-head', 'changed since it was saved');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('menuitem', { name: /Save changes/ }).click();
  await expect(page, '.toasts', 'is saved.');
  await tiled(page, settled);
  await eyes(page, 'See as', { subject: 'portal', filters: '{"sales": {"region": {"eq": "North"}}}' });
  await page.getByRole('button', { name: 'Beside mine' }).click();
  await expect(page, '.differences', '1 row is alike, 0 differ, 2 only left, 0 only right');
  await settled('her own tenant, filtered');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  // Rows without a key among their columns are the same where all of it is, wherever they stand.
  await page.goto(`${base}/console/explore?q=${encodeURIComponent(JSON.stringify({ dataset: 'sales', rows: true, columns: ['region'], limit: 200 }))}`);
  await expect(page, '.said', '200 rows');
  await eyes(page, 'See as', { subject: 'portal', filters: '{"sales": {"region": {"eq": "North"}}}' });
  await page.getByRole('button', { name: 'Beside mine' }).click();
  await expect(page, '.differences', '50 rows are alike, 0 differ, 150 only left, 0 only right');
  await expect(page, '.differences', 'no key among their columns');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await go(page, 'Saved');
  await page.getByLabel('Search by name or title').fill('nothing of this kind');
  await expect(page, '.card', 'Nothing matches');
  await page.getByRole('button', { name: 'Clear' }).last().click();
  await page.getByRole('button', { name: `Actions: ${title_}` }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  const end = page.getByRole('dialog').getByRole('button', { name: 'Delete' });
  if (await end.isEnabled()) throw new Error('it is deleted without its name');
  await page.getByRole('dialog').getByRole('textbox').fill((await page.getByRole('dialog').locator('label').innerText()).split(' ')[1]);
  await end.click();
  await expect(page, '.kept', 'shared with all tenants');
}

// What is explored becomes a tile of a dashboard that is new, and of one that is there, by the keyboard.
async function tiled(page, settled) {
  const save = page.getByRole('button', { name: 'Save', exact: true });
  const dialog = page.getByRole('dialog', { name: 'Add to a dashboard' });
  const adds = dialog.getByRole('button', { name: 'Add to a dashboard' });
  const field = (name) => dialog.getByRole('textbox', { name, exact: true });
  const held = async (what) => {
    await dialog.waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.activeElement !== document.body);
    const focused = await page.evaluate(() => document.activeElement.innerText);
    if (focused !== 'Save') throw new Error(`the focus is at ${focused} after ${what}`);
  };
  const open = async () => {
    await save.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Add to a dashboard' }).waitFor();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await field('Title of the tile').waitFor();
  };
  const lacks = async (words) => {
    await expect(page, '.dialog footer', words);
    if (await adds.isEnabled()) throw new Error(`it is added although: ${words}`);
  };
  const looks = async (name, part) => {
    for (const [width, colorScheme] of [[390, 'dark'], [390, 'light'], [1280, 'light'], [1280, 'dark']]) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await part.waitFor();
      await page.waitForTimeout(400);
      await settled(`${name}, ${width} wide and ${colorScheme}`);
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`) });
    }
  };
  await open();
  await lacks('Give the tile a title.');
  await page.keyboard.type('東京 & more');
  await lacks('Give the dashboard a title.');
  await field('Title of the dashboard').fill('東京');
  await lacks('Give it a name of a-z, 0-9 and -.');
  await field('Title of the dashboard').fill('Süd & Öst');
  if ((await field('Name').inputValue()) !== 'sud-ost') throw new Error(`the name ${await field('Name').inputValue()} is suggested`);
  await field('Name').fill('Süd');
  await expect(page, '.dialog .wrong', 'It has the form of sales-2');
  await field('Name').fill('');
  await field('Title of the tile').fill('é'.repeat(128));
  await expect(page, '.dialog .wrong', 'at most 255 bytes');
  await looks('tile-wrong', dialog);
  await field('Title of the tile').fill('東京 & more');
  await field('Title of the dashboard').press('Enter');
  await expect(page, '.toasts', '東京 & more is on the dashboard.');
  await held('adding');
  // There is one of that name now, which is offered.
  await open();
  await field('Title of the tile').fill('more');
  await field('Title of the dashboard').fill('Süd, Öst');
  await expect(page, '.dialog .wrong', 'There is a dashboard of this name');
  await looks('tile-taken', dialog);
  await dialog.getByRole('button', { name: /^(A new one )?Dashboard/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('option', { name: 'Süd & Öst' }).waitFor();
  await looks('tile-offered', page.getByRole('option', { name: 'Süd & Öst' }));
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.getByRole('option').first().waitFor({ state: 'detached' });
  await adds.press('Enter');
  await expect(page, '.toasts', 'more is on the dashboard.');
  await held('adding again');
  const { document: kept } = (await asks(page, '{ dashboard(name: "sud-ost") { document } }')).data.dashboard;
  const got = JSON.stringify(kept.tiles.map(({ id, at, query }) => [id, at.y, query.includes('salesAggregate')]));
  if (got !== '[["more",0,true],["more-2",4,true]]') throw new Error(`the tiles are ${got}`);
  await open();
  await page.keyboard.press('Escape');
  await held('leaving');
  // What is copied is told, and where nothing can be.
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const copies = async (key) => {
    await page.getByRole('button', { name: 'Copy', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Link' }).waitFor();
    if (key) await page.keyboard.press(key);
    else await looks('copying', page.getByRole('menuitem', { name: 'Link' }));
    await page.keyboard.press('Enter');
  };
  await copies();
  await expect(page, '.toasts', 'Copied');
  if ((await page.evaluate(() => navigator.clipboard.readText())) !== page.url()) throw new Error('the link is another');
  await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true }));
  await copies('ArrowDown');
  await expect(page, '.toasts', 'The browser let nothing be copied.');
  // The page that others embed.
  const explored = page.url();
  await go(page, 'Dashboards');
  await page.getByRole('link', { name: 'Süd & Öst' }).click();
  await expect(page, 'usher-dashboard', '東京 & more');
  await page.getByRole('button', { name: 'Share' }).focus();
  await page.keyboard.press('Enter');
  const share = page.getByRole('dialog', { name: 'Share' });
  await share.getByText('<usher-dashboard name="sud-ost"').waitFor();
  await looks('share', share);
  await page.keyboard.press('Escape');
  await share.waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement.innerText === 'Share');
  await page.goto(explored);
  await title(page, title_);
  await page.locator('usher-chart').first().waitFor();
}

async function reader(page, { settled }) {
  await page.goto(`${base}/console/saved`);
  await enter(page, 'acme|rita');
  await title(page, 'Saved');
  await page.getByRole('link', { name: title_ }).click();
  await title(page, title_);
  await answered(page, markup);
  await settled('narrow');
  // The answer is in sight: what is asked is folded above it.
  const chart = await page.locator('usher-chart').first().boundingBox();
  if (chart.y > 700) throw new Error(`the answer begins ${chart.y} pixels down`);
  const fold = page.getByRole('button', { name: /Change what is asked/ });
  await fold.click();
  await page.getByRole('button', { name: 'Add a measure' }).waitFor();
  await settled('narrow, unfolded');
  await page.getByRole('button', { name: /Hide what is asked/ }).click();
  await fold.waitFor();
  await page.screenshot({ path: join(folder, 'explore-narrow.png'), fullPage: true });
  if (await page.getByRole('button', { name: 'See as' }).count()) throw new Error('she sees as others');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Save…' }).waitFor();
  if (await page.getByRole('menuitem').count() !== 1) throw new Error('she adds to dashboards');
  await page.keyboard.press('Escape');
  if (await page.getByRole('button', { name: 'How', exact: true }).count()) throw new Error('she is told how answers come to be');
  // A link says all that is asked; what she does not see is left out of it.
  const state = { dataset: 'sales', measures: ['count', 'secret', 'revenue'], keys: [{ path: 'nowhere.name' }], where: [{ path: 'region', op: 'eq', value: 'Nowhere' }, { path: '__proto__', op: 'eq', value: '1' }], order: [{ by: '}{' }] };
  await page.goto(`${base}/console/explore?q=${encodeURIComponent(JSON.stringify({ ...state, keys: [{ path: 'region' }] }))}`);
  await expect(page, '.results', 'No rows');
  await settled('no rows');
  await page.goto(`${base}/console/explore?q=${encodeURIComponent(JSON.stringify({ ...state, where: [] }))}`);
  await answered(page, '200');
  await page.goto(`${base}/console/explore?q=${encodeURIComponent('{"dataset":"salaries"}')}`);
  await expect(page, '.card', 'There is no such dataset');
  await page.goto(`${base}/console/explore?saved=nothing`);
  await expect(page, '.card', 'There is no such exploration');
  await settled('a link to nothing');
}

// add opens a list with the keyboard, types, and takes the first that is found.
async function add(page, list, text) {
  await page.getByRole('button', { name: list, exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: list }).getByRole('searchbox').waitFor();
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: list }).waitFor({ state: 'detached' });
}

async function eyes(page, button, { tenant, subject, strategy, filters }) {
  await page.getByRole('button', { name: button, exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('tab', { name: 'A user or rights' }).click();
  if (tenant) {
    await dialog.getByRole('combobox', { name: 'Tenant' }).fill(tenant);
    await page.getByRole('option', { name: new RegExp(tenant) }).click();
  }
  await dialog.getByLabel('For', { exact: true }).fill(subject);
  if (strategy) await dialog.getByLabel('Strategy').fill(strategy);
  if (filters) await dialog.getByLabel('Filters').fill(filters);
  await dialog.getByRole('button', { name: 'Look' }).click();
}

async function answered(page, text) {
  await page.locator('usher-chart').filter({ hasText: text }).first().waitFor();
}

async function address_(page, text) {
  await page.waitForURL((url) => url.href.includes(text));
  return page.url();
}

async function enter(page, username) {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').last().fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function go(page, name, heading = name) {
  await page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
  await title(page, heading);
}

async function title(page, text) {
  await page.getByRole('heading', { level: 1, name: text, exact: true }).waitFor();
}
