// Uses the console without a pointer, in Chromium:
//   node keyboard.mjs URL PASSWORD FOLDER
// The operator, olga, adds and removes, saves, tests and mints with keys alone. After each
// step the focus has to be on something that she can go on from, which is named. Pictures
// go into FOLDER. See visit.mjs for what else makes it fail.
import { join } from 'node:path';
import { asks, visit, write } from './visit.mjs';

const [base, password, folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node keyboard.mjs URL PASSWORD FOLDER');
  process.exit(2);
}
await visit(new URL(base), { width: 1280, height: 900 }, use);

// focus is what has it, through all shadow roots: its name and what it is.
function focus(page) {
  return page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    const label = element.labels?.[0] ?? (element.getAttribute('aria-labelledby') && document.getElementById(element.getAttribute('aria-labelledby').split(' ')[0]));
    return `${element.id === 'content' ? 'content' : element.localName} ${(element.getAttribute('aria-label') ?? label?.innerText ?? element.innerText).slice(0, 40).replace(/\s+/g, ' ')}`.trim();
  });
}

// rings are what is drawn around it: more than one on the way to it show two things as if both had it.
function rings(page) {
  return page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    const ringed = [];
    for (; element instanceof Element; element = element.parentElement ?? element.getRootNode().host) {
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      if (outlineStyle !== 'none' && outlineWidth !== '0px') ringed.push(element.className || element.localName);
    }
    return ringed;
  });
}

// held waits until the focus is where it should be, in one ring, and still is when all has been drawn.
async function held(page, when, want) {
  const fits = (got) => (want instanceof RegExp ? want.test(got) : got === want);
  let got;
  for (let left = 100; left > 0 && !fits((got = await focus(page))); left--) await page.waitForTimeout(100);
  await page.waitForTimeout(300);
  got = await focus(page);
  if (!fits(got)) throw new Error(`${when}, ${got} has the focus, not ${want}`);
  const drawn = await rings(page);
  if (drawn.length > 1) throw new Error(`${when}, these are ringed: ${drawn.join(', ')}`);
}

async function press(page, locator, key = 'Enter') {
  await locator.waitFor();
  await locator.focus();
  await page.keyboard.press(key);
}

// choose takes what is found of what was typed, which is looked for a moment later.
async function choose(page, name) {
  await page.waitForTimeout(500);
  await page.getByRole('option', { name }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
}

async function add(page, list, text) {
  await press(page, page.getByRole('button', { name: list, exact: true }));
  await page.getByRole('dialog', { name: list }).getByRole('searchbox').waitFor();
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: list }).waitFor({ state: 'detached' });
}

async function use(page, { settled }) {
  const button = (name, of = page) => of.getByRole('button', { name, exact: true });
  const go = (name) => press(page, page.getByRole('navigation').getByRole('link', { name, exact: true }));

  // The first field has it; arrows go through the tabs and stay there.
  await page.goto(`${base}/console/explore`);
  await held(page, 'at the sign-in', 'input Tenant');
  await page.getByRole('tab', { name: 'Password' }).focus();
  await page.keyboard.press('ArrowRight');
  await held(page, 'on the next tab', /^\w+ Token$/);
  await page.keyboard.press('ArrowLeft');
  await held(page, 'back on the first tab', /^\w+ Password$/);
  await page.getByLabel('Username').fill('olga');
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.keyboard.press('Enter');

  // A menu gives it back; what had it once is no place to come back to from what others open.
  await press(page, page.locator('.who'));
  await page.getByRole('menu').waitFor();
  await page.keyboard.press('Escape');
  await held(page, 'without the menu', /^button Your session/);

  // Explore.
  await press(page, page.locator('.starts button').first());
  await page.locator('.builder').waitFor();
  await held(page, 'when a dataset is chosen', /^content/);
  await add(page, 'Add a measure', 'Revenue');
  await add(page, 'Add what to group by', 'Region');
  await add(page, 'Add a condition', 'Region');
  await add(page, 'Add a condition', 'Total');
  const conditions = page.locator('.conditions .condition');
  await press(page, conditions.first().getByRole('button', { name: /^Remove/ }));
  await held(page, 'when a condition is removed', /^button Remove.*Total/);
  await page.keyboard.press('Enter');
  await held(page, 'when the last condition is removed', 'button Add a condition');
  const measures = page.locator('.bit', { hasText: 'Measures' }).getByRole('button', { name: /^Remove/ });
  for (let left = await measures.count(); left > 1; left--) {
    await press(page, measures.first());
    await held(page, 'when a measure is removed', /^button Remove/);
  }
  await press(page, measures.first());
  await held(page, 'when the last measure is removed', 'button Add a measure');
  await press(page, button('See as'));
  const eyes = page.getByRole('dialog');
  await eyes.getByRole('combobox', { name: 'Tenant' }).fill('umb');
  await choose(page, 'umbrella');
  // Why somebody acts is kept when the page is left.
  await eyes.getByLabel('Reason').fill('to see what they see');
  await page.reload();
  await press(page, button('See as'));
  await eyes.getByText('What you had not saved is here again.').waitFor();
  if ((await eyes.getByLabel('Reason').inputValue()) !== 'to see what they see') throw new Error('the reason is not kept');
  await settled('what was kept of seeing as another');
  await press(page, button('Look', eyes));
  await page.locator('.banner.eyes').waitFor();
  await held(page, 'when another sees', 'button See as');
  await press(page, button('Stop'));
  await held(page, 'when nobody else sees', 'button See as');
  await press(page, button('Save'));
  await page.getByRole('menuitem', { name: 'Save…' }).press('Enter');
  await page.getByRole('dialog').getByLabel('Title').fill('By region');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await held(page, 'when it is kept, and what was kept is opened', /^content By region/);

  // The editor of dashboards.
  await page.goto(`${base}/console/dashboards/board/edit`);
  const remove = button('Remove In all');
  await page.locator('.edit-tile').nth(1).waitFor();
  await press(page, remove);
  await held(page, 'when a tile is removed', /^button Remove By region/);
  await press(page, button('Save'));
  await page.getByText(/^Saved/).first().waitFor();
  await held(page, 'when it is saved', 'button Save');
  if ((await button('Save').getAttribute('aria-disabled')) !== 'true') throw new Error('what is saved can be saved again');
  await press(page, page.getByRole('button', { name: /^Remove By region/ }));
  await held(page, 'when the last tile is removed', 'button Add a tile');
  await press(page, button('Undo'));
  await held(page, 'when all is undone', 'button Undo');

  // Somebody else saves it meanwhile: with theirs there is nothing to save, so Save, which was pressed, cannot have the focus.
  const { document: kept, version } = (await asks(page, '{ dashboard(name: "board") { document version } }')).data.dashboard;
  await asks(page, 'mutation($d: JSON!, $v: Int!) { saveDashboard(name: "board", document: $d, shared: true, version: $v) { version } }', { d: { ...kept, title: 'Theirs' }, v: version });
  await press(page, page.getByRole('button', { name: /^Remove By region/ }));
  await held(page, 'when the last tile is removed again', 'button Add a tile');
  await press(page, button('Save'));
  await press(page, button('Take theirs'));
  await page.getByRole('heading', { level: 1, name: 'Theirs' }).waitFor();
  await held(page, 'when theirs is taken', /^content/);
  await asks(page, 'mutation($d: JSON!, $v: Int!) { saveDashboard(name: "board", document: $d, shared: true, version: $v) { version } }', { d: kept, v: version + 1 });

  // What is chosen in the menu of a chart leaves it at the menu.
  await page.goto(`${base}/console/dashboards/board`);
  const plot = page.locator('usher-dashboard usher-plot');
  const menu = page.locator('usher-tile summary').first();
  await plot.locator('svg').first().waitFor();
  for (const name of ['Download CSV', 'Download PNG', 'Show as table', 'Show as chart']) {
    await press(page, menu);
    await press(page, button(name));
    await held(page, `after ${name}`, 'summary More of By region');
  }

  // Selects.
  await go('Tenants');
  await press(page, button('Register a tenant').first());
  await page.getByRole('dialog').getByRole('textbox').last().focus();
  await page.keyboard.press('Tab');
  await held(page, 'on a select', /^button the configuration/);
  await page.screenshot({ path: join(folder, 'select.png') });
  await page.keyboard.press('Escape');
  await held(page, 'without the new tenant', 'button Register a tenant');

  // A tenant.
  await page.goto(`${base}/console/tenants/umbrella`);
  await press(page, button('Test the accounts'));
  await page.locator('.note.good').first().waitFor();
  await held(page, 'when accounts were tested', 'button Test the accounts');
  await settled('a tenant');

  // Forms begin with what is empty.
  await go('Users');
  await press(page, button('Add a user').first());
  await held(page, 'in a new user', /^input Tenant/);
  if (await page.getByRole('option').count()) throw new Error('the list is open before anybody asked');
  await settled('a new user');
  await page.screenshot({ path: join(folder, 'user.png') });
  await page.keyboard.press('Escape');
  await held(page, 'without the new user', 'button Add a user');

  // A token, with its preview.
  await go('Tokens');
  await press(page, button('Mint a token').first());
  const mint = page.getByRole('dialog');
  await held(page, 'in a new token', /^input Tenant/);
  await page.keyboard.type('umb');
  await choose(page, 'umbrella');
  await mint.getByLabel('For', { exact: true }).fill('portal');
  await mint.getByRole('combobox', { name: 'Dashboards' }).fill('Sal');
  await choose(page, 'Sales');
  await press(page, button('What would it see?', mint));
  await mint.locator('usher-dashboard usher-plot svg').first().waitFor();
  await held(page, 'beside the preview', 'button What would it see?');
  await through(page, 'the preview', ['Region', 'More of By region', 'Values, read with the arrow keys']);
  await settled('the preview');
  await press(page, button('Mint a token', mint));
  await page.locator('.secret').first().waitFor();
  await mint.locator('usher-dashboard usher-plot svg').first().waitFor();
  await through(page, 'what was minted', ['Region', 'More of By region', 'Values, read with the arrow keys']);
  await page.screenshot({ path: join(folder, 'minted.png') });
  await page.keyboard.press('Escape');
  await mint.waitFor({ state: 'detached' });
  await held(page, 'when it is minted', 'button Mint a token');

  // Whatever stands beside, tabs of an answer are whole.
  await page.goto(`${base}/console/query`);
  await button('Docs').waitFor();
  await write(page, 'Operation', '{ orders { id } }');
  await press(page, button('Docs'));
  await page.getByRole('complementary').or(page.locator('.docs')).first().waitFor();
  await press(page, button('Run'));
  await page.locator('.outcome .badge').waitFor();
  await page.screenshot({ path: join(folder, 'query.png') });
  const over = await page.evaluate(() => {
    const parts = [...document.querySelectorAll('.answer .pane-bar :is(.tab, .badge, .outcome .tiny, button)')].map((part) => [part.innerText, part.getBoundingClientRect()]);
    return parts.flatMap(([a, x], i) => parts.slice(i + 1).filter(([, y]) => x.left < y.right && y.left < x.right && x.top < y.bottom && y.top < x.bottom).map(([b]) => `${a} and ${b}`));
  });
  if (over.length > 0) throw new Error(`beside the docs these lie on each other: ${over}`);

  // Paper is white, also that of who works in the dark.
  await page.goto(`${base}/console/dashboards/board`);
  await page.locator('usher-dashboard usher-plot svg').first().waitFor();
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  const paper = await page.evaluate(() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.documentElement).colorScheme, getComputedStyle(document.body).color]);
  if (paper.join() !== ['rgba(0, 0, 0, 0)', 'light', 'rgb(21, 24, 30)'].join()) throw new Error(`on paper it is ${paper}`);
}

// through goes on with Tab until all have had the focus, within the dialog.
async function through(page, what, names) {
  const seen = [];
  for (let i = 0; i < 60 && !names.every((name) => seen.some((one) => one.includes(name))); i++) {
    await page.keyboard.press('Tab');
    seen.push(await focus(page));
  }
  const missed = names.filter((name) => !seen.some((one) => one.includes(name)));
  if (missed.length > 0) throw new Error(`by Tab ${missed} of ${what} cannot be reached, but ${seen.join(', ')}`);
  for (let i = 0; i < 3; i++) await page.keyboard.press('Shift+Tab');
  if (!(await page.evaluate(() => document.activeElement.closest('[role=dialog]')))) throw new Error(`the focus leaves the dialog with ${what}`);
}
