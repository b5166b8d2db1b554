// Makes, edits and shares dashboards in the console, in Chromium:
//   node boards.mjs operator|unsaved|administrator|minter|chooser|holder URL PASSWORD [FOLDER]
// The operator, olga, makes a dashboard of all tenants by pointer and keys, is told of
// what will not work, and loses nothing when somebody else saves it meanwhile. What she has
// not saved is there again when she has signed in again, and never for anybody else. The
// administrator, ann of umbrella, makes a copy of her own and mints a token for it, which
// she sees as its holder does. The minter, olga again, mints one for a dashboard of umbrella's own, which is offered to
// her by its title. The chooser, ann, finds what she chose on a dashboard again after a reload, on her way back and where its address
// is opened, and is told what of an address fits no more. The holder signs in with that token, given as PASSWORD, and
// sees that dashboard and nothing else. Pictures go into FOLDER. See visit.mjs for what
// else makes it fail.
import { join } from 'node:path';
import { asks, expect, visit, write } from './visit.mjs';

const [kind, base, password, folder] = process.argv.slice(2);
const uses = { operator, unsaved, administrator, minter, chooser, holder };
if (!uses[kind] || !password) {
  console.error('usage: node boards.mjs operator|unsaved|administrator|minter|chooser|holder URL PASSWORD [FOLDER]');
  process.exit(2);
}
const restored = 'What you had not saved is here again.';
const address = new URL(base);
await visit(address, { width: 1600, height: 900 }, (page, watch) => uses[kind](page, watch));

async function enter(page, name) {
  await page.getByLabel('Username').fill(name);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function picture(page, name) {
  if (!folder) return;
  for (const [width, colorScheme] of [[390, 'light'], [1280, 'dark'], [1920, 'light'], [1280, 'light']]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(600);
    await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
  }
}

function tile(page, name) {
  return page.locator('.edit-tile', { hasText: name });
}

function place(page, name) {
  return tile(page, name).first().getAttribute('aria-label');
}

function same(what, got, want) {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what} is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
}

async function operator(page, { settled }) {
  await page.goto(`${base}/console/dashboards`);
  await enter(page, 'olga');
  await page.getByRole('button', { name: 'Make a dashboard', exact: true }).click();
  await expect(page, '.dialog footer', 'Give it a title.');
  await page.getByLabel('Title').fill('Süd & Öst, Sales');
  const suggested = await page.getByLabel('Name', { exact: true }).inputValue();
  if (suggested !== 'sud-ost-sales') throw new Error(`the name ${suggested} is suggested`);
  await page.getByLabel('Title').fill('Sales');
  await page.getByLabel('Name', { exact: true }).fill('Sales!');
  await expect(page, '.dialog .wrong', 'It has the form of sales-2');
  await page.getByLabel('Name', { exact: true }).fill('board');
  await page.locator('.check', { hasText: 'Share it with all tenants' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make a dashboard' }).click();
  await page.getByRole('heading', { level: 1, name: 'Sales' }).waitFor();
  await expect(page, '.editor-canvas', 'No tile yet');
  await settled('an empty page');

  // A tile, of what the query answers.
  await page.getByRole('button', { name: 'Add a tile' }).first().click();
  await expect(page, '.edit-tile', 'It asks nothing yet');
  same('what failed already', await page.locator('.editor-page [role=alert], .editor-page .wrong').count(), 0);
  // Saved as it is, it is called by the name that people know.
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page, '.editor-page [role=alert]', /^Not saved\. .*(tile 1|New tile|tile).*: /);
  if (/tiles\.\d/.test(await page.locator('.editor-page [role=alert]').innerText())) throw new Error('a tile is called by its place in the document');
  await page.getByLabel('Title', { exact: true }).fill('By region');
  await page.getByLabel('Id', { exact: true }).fill('regions');
  await write(page, 'Query', '{ ordersAggregate(orderBy: [{key: {region: ASC}}]) { key { region } revenue count } }');
  await page.getByRole('button', { name: 'Rows' }).filter({ hasText: 'ordersAggregate' }).waitFor();
  await choose(page, 'Along', 'key.region');
  await page.locator('.check', { hasText: 'revenue' }).click();
  await choose(page.getByRole('group', { name: 'Format of revenue' }), 'Style', 'money', page);
  await page.getByRole('group', { name: 'Format of revenue' }).getByLabel('Digits').fill('2');
  await tile(page, 'By region').locator('usher-plot [role=img]').waitFor();
  await page.getByRole('img', { name: 'Bar chart: By region. 2 values from EU to US. Highest $40.00 (US), lowest $35.50 (EU).', includeHidden: true }).waitFor();
  const [bar, heading] = [await page.locator('.edit-tile.chosen .edit-bar').boundingBox(), await page.locator('.edit-tile.chosen h2').boundingBox()];
  if (bar.y + bar.height > heading.y) throw new Error(`the bar hides ${bar.y + bar.height - heading.y} pixels of the heading`);
  await settled('a tile');

  // It moves by keys and by pointer; what stands in its way goes down.
  const regions = tile(page, 'By region').first();
  await regions.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowUp');
  same('its place', await place(page, 'By region'), 'By region: column 2, row 2, 7 wide, 3 high');
  for (let i = 0; i < 4; i++) await page.keyboard.press('Control+z');
  same('its place when undone', await place(page, 'By region'), 'By region: column 1, row 1, 6 wide, 4 high');
  await page.keyboard.press('Control+Shift+z');
  await page.keyboard.press('Control+z');
  await page.keyboard.press('d');
  await tile(page, 'By region').nth(1).waitFor();
  const second = page.locator('.edit-tile.chosen');
  same('the other', await second.getAttribute('aria-label'), 'By region: column 1, row 5, 6 wide, 4 high');
  await page.getByLabel('Title', { exact: true }).fill('In all');
  await choose(page, 'Drawn as', 'Number');
  await write(page, 'Query', '{ ordersAggregate { revenue } }');
  await tile(page, 'In all').locator('.value', { hasText: '$75.50' }).waitFor();
  const grip = tile(page, 'In all').locator('.grip');
  const box = await grip.boundingBox();
  await page.mouse.move(box.x + 20, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + 20, box.y + 10 - 300, { steps: 5 });
  await page.mouse.move(box.x + 20, box.y + 10 - 4 * 112, { steps: 5 });
  await page.mouse.up();
  same('the dragged', [await place(page, 'In all'), await place(page, 'By region')], ['In all: column 1, row 1, 6 wide, 4 high', 'By region: column 1, row 5, 6 wide, 4 high']);

  // All of a tile moves it, and none is too narrow for its title.
  const inner = await tile(page, 'In all').first().boundingBox();
  await page.mouse.move(inner.x + inner.width / 2, inner.y + inner.height / 2);
  await page.mouse.down();
  await page.mouse.move(inner.x + inner.width / 2 + 40, inner.y + inner.height / 2, { steps: 3 });
  await page.mouse.move(inner.x + inner.width + 60, inner.y + inner.height / 2, { steps: 5 });
  await page.mouse.up();
  const [, column] = /column (\d+)/.exec(await place(page, 'In all'));
  if (Number(column) < 5) throw new Error(`a tile that is dragged stands at ${await place(page, 'In all')}`);
  await page.getByRole('button', { name: 'Undo' }).click();
  await tile(page, 'In all').first().focus();
  for (let i = 0; i < 8; i++) await page.keyboard.press('Shift+ArrowLeft');
  same('the narrowest', await place(page, 'In all'), 'In all: column 1, row 1, 2 wide, 4 high');
  await expect(page, '[role=status]', 'Column 1, row 1, 2 wide, 4 high');
  for (let i = 0; i < 4; i++) await page.keyboard.press('Control+z');
  same('the place when undone', await place(page, 'In all'), 'In all: column 1, row 1, 6 wide, 4 high');
  if ((await page.locator('[role=status]').allInnerTexts()).some((words) => words.startsWith('Column'))) throw new Error('a place is told that is left');

  // A parameter.
  await page.getByRole('tab', { name: 'Parameters' }).click();
  await page.getByRole('button', { name: 'Add a parameter' }).click();
  await page.getByLabel('Name', { exact: true }).fill('which');
  await settled('parameters');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page, '.toasts', 'Saved as version 2.');
  await expect(page, '.findings', 'no tile has a variable $which');
  await picture(page, 'editor');

  // Whoever saved it meanwhile is told of, and nothing is lost.
  const kept = (await asks(page, '{ dashboard(name: "board") { document version } }')).data.dashboard;
  await asks(page, 'mutation($d: JSON!, $v: Int!) { saveDashboard(name: "board", document: $d, shared: true, version: $v) { version } }', { d: { ...kept.document, title: 'Theirs' }, v: kept.version });
  await page.getByRole('button', { name: 'Remove which' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page, '.dialog', 'Version 3 is there now');
  await settled('a conflict');
  await page.getByRole('button', { name: 'Take theirs' }).click();
  await page.getByRole('heading', { level: 1, name: 'Theirs' }).waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('heading', { level: 1, name: 'Sales' }).waitFor();

  // Nobody leaves what is not saved without knowing.
  await page.getByRole('link', { name: 'Leave' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Go on editing' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page, '.toasts', 'Saved as version 4.');
  await page.getByRole('link', { name: 'Leave' }).click();
  await page.locator('usher-dashboard').waitFor();
  await page.locator('usher-dashboard .value', { hasText: '$75.50' }).waitFor();
  await settled('the dashboard');
  await narrow(page, { settled });
}

// Narrow tiles are whole, in the editor and where they are seen, however narrow the window.
async function narrow(page, { settled }) {
  const number = (id, title, x, w, compareLabel) => ({
    id, title, at: { x, y: 0, w, h: 1 }, query: '{ now: ordersAggregate { revenue } then: ordersAggregate(where: {region: {eq: "EU"}}) { revenue } }',
    chart: { kind: 'number', rows: 'now', y: ['revenue'], compare: 'then.revenue', compareLabel, format: { revenue: { style: 'currency', digits: 2 } } },
  });
  const document_ = {
    title: 'Narrow',
    tiles: [number('a', 'Revenue this month', 0, 3, 'than Europe'), number('b', 'Average order value', 3, 3, 'than Europe'), number('c', 'Revenue', 6, 2, 'than Europe'), number('d', 'Orders', 8, 2), number('e', 'Sold in all', 10, 2)],
  };
  await asks(page, 'mutation($d: JSON!) { saveDashboard(name: "narrow", document: $d, shared: true) { version } }', { d: document_ });
  for (const [where, at] of [['the editor', 'narrow/edit'], ['the dashboard', 'narrow']]) {
    await page.goto(`${base}/console/dashboards/${at}`);
    await page.locator('usher-number .value').nth(document_.tiles.length - 1).waitFor();
    for (const width of [390, 800, 1280, 1440, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      await page.waitForTimeout(300);
      const cut = await page.locator('usher-tile :is(h2, h3, .value, .badge, .than), usher-tile section').evaluateAll((all) =>
        all.filter((one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 2).map((one) => one.innerText));
      if (cut.length > 0) throw new Error(`${where} cuts at ${width}: ${cut.join(' | ')}`);
      if (folder) await page.screenshot({ path: join(folder, `narrow-${at.replace('/', '-')}-${width}.png`) });
    }
    await settled(`narrow tiles in ${where}`);
  }
  await asks(page, 'mutation { deleteDashboard(name: "narrow", version: 1) }');
}

// What is written and not saved outlives a reload and the end of a session, for whoever wrote it.
async function unsaved(page, { settled }) {
  const drafts = () => page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith('usher.draft')).length);
  const ended = () => asks(page, 'mutation { logoutEverywhere }');
  await page.goto(`${base}/console/dashboards`);
  await enter(page, 'olga');
  // A dialog.
  await page.getByRole('button', { name: 'Make a dashboard', exact: true }).click();
  await page.getByLabel('Title').fill('Half done');
  await page.getByLabel('Name', { exact: true }).fill('half');
  await ended();
  await page.getByRole('dialog').getByRole('button', { name: 'Make a dashboard' }).click();
  await page.getByLabel('Username').waitFor();
  await enter(page, 'olga');
  await page.getByRole('button', { name: 'Make a dashboard', exact: true }).click();
  await expect(page, '.dialog', restored);
  same('the title', await page.getByLabel('Title').inputValue(), 'Half done');
  await settled('a dialog with what was there');
  await page.getByRole('dialog').getByRole('button', { name: 'Discard it' }).click();
  same('the title then', await page.getByLabel('Title').inputValue(), '');
  await page.getByLabel('Title').fill('Half done');
  await page.getByLabel('Name', { exact: true }).fill('half');
  await page.getByRole('dialog').getByRole('button', { name: 'Make a dashboard' }).click();
  // The editor.
  await page.getByRole('heading', { level: 1, name: 'Half done' }).waitFor();
  same('the drafts of what is kept', await drafts(), 0);
  await page.getByRole('button', { name: 'Add a tile' }).first().click();
  await page.getByLabel('Title', { exact: true }).fill('By region');
  await write(page, 'Query', '{ ordersAggregate { key { region } revenue } }');
  await tile(page, 'By region').locator('usher-plot [role=img]').waitFor();
  await page.reload();
  await expect(page, '.note', restored);
  await tile(page, 'By region').locator('usher-plot [role=img]').waitFor();
  await ended();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page, 'main', 'you are back where you were');
  await enter(page, 'olga');
  await expect(page, '.note', restored);
  await tile(page, 'By region').locator('usher-plot [role=img]').waitFor();
  await settled('an editor with what was there');
  await picture(page, 'restored');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page, '.editor-canvas', 'No tile yet');
  await page.getByRole('button', { name: 'Redo' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page, '.toasts', 'Saved as version 2.');
  same('the notes of what is saved', await page.locator('.note.restored').count(), 0);
  // Whoever saved it meanwhile is told of.
  await page.getByRole('tab', { name: 'Page' }).click();
  await page.getByLabel('Title').fill('Mine');
  const kept = (await asks(page, '{ dashboard(name: "half") { document } }')).data.dashboard;
  await asks(page, 'mutation($d: JSON!) { saveDashboard(name: "half", document: $d, version: 2) { version } }', { d: { ...kept.document, title: 'Theirs' } });
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Mine' }).waitFor();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page, '.dialog', 'Version 3 is there now');
  await page.getByRole('button', { name: 'Go on editing' }).click();
  await page.getByRole('button', { name: 'Discard it' }).click();
  await page.getByRole('heading', { level: 1, name: 'Theirs' }).waitFor();
  same('the drafts of what is discarded', await drafts(), 0);
  // Nobody else gets it.
  await page.getByLabel('Title').fill('Of olga');
  same('the drafts', await drafts(), 1);
  await ended();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByLabel('Username').waitFor();
  await enter(page, 'umbrella|ann');
  await expect(page, 'main', 'There is none of that name'); // for her
  same('the drafts of somebody else', await drafts(), 0);
  // Whoever signs out is told.
  await page.goto(`${base}/console/dashboards`);
  await page.getByRole('button', { name: 'Make a dashboard', exact: true }).click();
  await page.getByLabel('Title').fill('Of ann');
  await page.reload();
  await page.getByRole('button', { name: /umbrella/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out', exact: true }).click();
  await expect(page, '.dialog', 'not saved is discarded');
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Username').waitFor();
  same('the drafts of nobody', await drafts(), 0);

  // What she asked is hers in this browser, whoever signs in after her, until she signs out; her session is over with the next one.
  const secret = 'of-olga-alone';
  const as = async (name, button) => {
    await page.goto(`${base}/console/sign-in`);
    await page.getByLabel('Username').waitFor();
    if (await page.locator('.invited').count()) await page.getByRole('link', { name: 'Another tenant' }).click();
    await enter(page, name);
    await page.getByRole('button', { name: button }).waitFor();
  };
  const past = async () => {
    await page.goto(`${base}/console/query`);
    await page.getByRole('button', { name: 'History' }).click();
    const all = await page.getByRole('dialog').innerText();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('textbox', { name: 'Variables, as JSON' }).waitFor();
    return [all.includes('Asked'), (await page.locator('.cm-content').allInnerTexts()).join().includes(secret)];
  };
  await as('olga', /All tenants/);
  await page.goto(`${base}/console/query`);
  await write(page, 'Operation', 'query Asked($region: String!) { orders(where: {region: {eq: $region}}) { id } }');
  await write(page, 'Variables, as JSON', JSON.stringify({ region: secret }));
  await page.getByRole('button', { name: 'Run' }).click();
  await expect(page, '.answer .cm-content', 'orders');
  const hers = await page.evaluate(() => sessionStorage.getItem('usher.token'));
  same('what she finds again', await past(), [true, true]);
  await as('umbrella|ann', /umbrella/);
  same('what somebody else finds', await past(), [false, false]);
  const left = await page.evaluate(
    ([url, token]) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: '{"query": "{ viewer { subject } }"}' }).then(({ status }) => status),
    [`${base}/graphql`, hers],
  );
  same('what is said to the session that was left', left, 401);
  await as('olga', /All tenants/);
  same('what she finds then', await past(), [true, true]);
  await page.getByRole('button', { name: /All tenants/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out', exact: true }).click();
  await page.getByLabel('Username').waitFor();
  same('the queries of nobody', await page.evaluate((secret) => JSON.stringify({ ...localStorage }).includes(secret), secret), false);
}

async function choose(part, label, option, page = part) {
  await part.getByRole('button', { name: label }).click();
  await page.getByRole('option', { name: option, exact: true }).click();
}

async function administrator(page, { settled }) {
  await page.goto(`${base}/console/sign-in?tenant=umbrella`);
  await enter(page, 'ann');
  await page.getByRole('navigation').getByRole('link', { name: 'Dashboards' }).click();
  await page.getByRole('button', { name: 'Actions: Sales' }).click();
  if (await page.getByRole('menuitem', { name: 'Edit' }).count()) throw new Error('she edits what all tenants share');
  await page.getByRole('menuitem', { name: 'Make a copy' }).click();
  await page.getByLabel('Name of the copy').fill('mine');
  await page.getByRole('dialog').getByRole('button', { name: 'Make a copy' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.goto(`${base}/console/dashboards/mine/edit`);
  await page.getByLabel('Title').fill('Mine');
  if (await page.locator('.check', { hasText: 'Share it with all tenants' }).count()) throw new Error('she shares with all tenants');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page, '.toasts', 'Saved as version 2.');
  // A role that shows less than her dashboards ask for.
  const tile_ = (id, query, chart) => ({ id, title: `The ${id}`, at: { x: 0, y: 0, w: 3, h: 2 }, query, chart });
  const lines = {
    title: 'Lines and totals',
    tiles: [
      tile_('lines', '{ orders { id region } }', { kind: 'table', rows: 'orders' }),
      tile_('total', '{ ordersAggregate { revenue } }', { kind: 'number', rows: 'ordersAggregate' }),
      tile_('prices', '{ orders { id total } }', { kind: 'table', rows: 'orders' }),
    ],
  };
  for (const [mutation, variables] of [
    ['mutation($d: JSON!) { saveDashboard(name: "lines", document: $d) { version } }', { d: lines }],
    ['mutation { admin { putRole(name: "narrow", spec: {datasets: {orders: {columns: ["id", "region"]}}}) { name } } }', {}],
  ]) {
    const { errors } = await asks(page, mutation, variables);
    if (errors) throw new Error(JSON.stringify(errors));
  }
  await page.reload();
  await page.getByRole('navigation').getByRole('link', { name: 'Tokens' }).click();
  await page.getByRole('button', { name: 'Mint a token' }).first().click();
  const mint = page.getByRole('dialog');
  await mint.getByLabel('For', { exact: true }).fill('portal');
  await offer(mint, 'Mine');
  await mint.getByRole('button', { name: 'What would it see?' }).click();
  await mint.locator('usher-dashboard .value', { hasText: '$10.50' }).waitFor();
  await settled('a preview');
  await picture(page, 'mint');
  // What of it the roles do not show is told by name, and no more when they do.
  await offer(mint, 'Lines and totals');
  const roles = mint.getByRole('combobox', { name: 'Roles' });
  await roles.fill('narrow');
  await page.getByRole('option', { name: 'narrow' }).waitFor(); // what opens later would lie over all else
  await roles.press('Enter');
  await page.keyboard.press('Tab');
  await mint.getByRole('button', { name: 'What would it see?' }).click();
  await expect(page, '.dialog .note.warn', 'the token shows no tile of the dashboard mine');
  await expect(page, '.dialog .note.warn', 'the token does not show these tiles of the dashboard lines: total, prices; give it roles');
  if ((await page.locator('.dialog .note.warn').allInnerTexts()).some((words) => words.includes('regions'))) throw new Error('a tile that is shown is called hidden');
  await settled('hidden tiles');
  await mint.getByRole('button', { name: 'Remove: narrow' }).click();
  await page.waitForFunction(() => !document.querySelector('.dialog .note.warn'));
  await mint.getByRole('button', { name: 'What would it see?' }).click();
  await mint.locator('usher-dashboard').waitFor();
  same('what is told of roles that show all', await page.locator('.dialog .note.warn').count(), 0);
  await mint.getByRole('button', { name: 'Remove: lines' }).click();
  await mint.getByRole('button', { name: 'Mint a token' }).click();
  await expect(page, '.secret', '<usher-dashboard name="mine"');
  console.log(await page.locator('.secret code').first().innerText());
}

// offer chooses a dashboard that is offered by its title.
async function offer(dialog, title) {
  await dialog.getByRole('combobox', { name: 'Dashboards' }).fill(title.slice(0, 3));
  await dialog.page().getByRole('option', { name: title }).click();
  await dialog.page().keyboard.press('Tab'); // the list may be open for the next one, and closes when the field is left
}

async function minter(page, { settled }) {
  await page.goto(`${base}/console/tokens`);
  await enter(page, 'olga');
  await page.getByRole('button', { name: 'Mint a token' }).first().click();
  const mint = page.getByRole('dialog');
  const tenant = async (text, name) => {
    await mint.getByRole('combobox', { name: 'Tenant' }).fill(text);
    await page.getByRole('option', { name }).click();
    await page.keyboard.press('Tab'); // closes the list, as in offer
  };
  await tenant('umb', 'umbrella');
  await mint.getByLabel('For', { exact: true }).fill('portal');
  // Those of umbrella, with whose they are; and not hers, which no tenant sees.
  const boards = mint.getByRole('combobox', { name: 'Dashboards' });
  await boards.fill('m');
  await page.getByRole('option', { name: 'Mine' }).waitFor();
  await boards.fill('');
  await boards.press('ArrowDown');
  same('what is offered of umbrella', (await page.getByRole('option').allInnerTexts()).map((words) => words.replaceAll('\n', ', ')).sort(), [
    'Lines and totals, lines · of this tenant', 'Mine, mine · of this tenant', 'Sales, board · shared with all tenants',
  ]);
  await settled('dashboards that are offered');
  await page.keyboard.press('Escape');
  await boards.fill('nothing');
  await boards.press('Enter');
  await page.keyboard.press('Tab');
  await expect(page, '.dialog .wrong', 'The tenant has no dashboard nothing.');
  await mint.getByRole('button', { name: 'Remove: nothing' }).click();
  await offer(mint, 'Mine');
  // What another tenant has not is said before the server says it.
  await tenant('All', 'All tenants');
  await expect(page, '.dialog .wrong', 'The tenant has no dashboard mine.');
  await tenant('umb', 'umbrella');
  await page.waitForFunction(() => !document.querySelector('.dialog .wrong'));
  await mint.getByRole('button', { name: 'What would it see?' }).click();
  await mint.locator('usher-dashboard .value', { hasText: '$10.50' }).waitFor();
  await settled('a preview of another tenant’s');
  await picture(page, 'minter');
  await mint.getByRole('button', { name: 'Mint a token' }).click();
  await expect(page, '.secret', '<usher-dashboard name="mine"');
}

async function chooser(page, { settled }) {
  await page.goto(`${base}/console/sign-in?tenant=umbrella`);
  await enter(page, 'ann');
  await page.getByRole('navigation').getByRole('link', { name: 'Dashboards' }).waitFor();
  const document_ = {
    title: 'Choices',
    parameters: [
      { name: 'region', label: 'Region', type: 'OrdersWhere!', control: 'select', default: {}, options: [{ value: {}, label: 'All' }, { value: { region: { eq: 'EU' } }, label: 'Europe' }, { value: { region: { eq: 'US' } }, label: 'America' }] },
      { name: 'below', label: 'Below', type: 'Decimal!', control: 'number', default: 1000 },
    ],
    tiles: [{ id: 'n', title: 'Revenue', at: { x: 0, y: 0, w: 3, h: 2 }, query: 'query($region: OrdersWhere!, $below: Decimal!) { ordersAggregate(where: {and: [$region, {total: {lt: $below}}]}) { revenue count } }', chart: { kind: 'number', rows: 'ordersAggregate', y: ['count'] } }],
  };
  const saved = await asks(page, 'mutation($d: JSON!) { saveDashboard(name: "choices", document: $d) { version findings { message } } }', { d: document_ });
  same('what is said of it', saved, { data: { saveDashboard: { version: 1, findings: [] } } });
  const at = `${base}/console/dashboards/choices`;
  const region = page.getByLabel('Region');
  const below = page.getByLabel('Below');
  const chosen = () => region.evaluate((select) => select.value);
  const shows = async (count, name, number) => {
    await page.locator('usher-number .value', { hasText: count }).waitFor();
    same('the region', await chosen(), name);
    same('the number', await below.inputValue(), number);
  };
  const asked = [];
  page.on('request', (request) => request.method() === 'POST' && request.url().endsWith('/dashboards/choices') && asked.push(request.postData()));
  await page.goto(`${base}/console/dashboards`);
  await page.getByRole('link', { name: 'Choices' }).click();
  await shows('1', 'All', '1000');
  same('the address', page.url(), at);
  await region.selectOption({ label: 'America' });
  await page.waitForURL(/q=/);
  await shows('0', 'America', '1000');
  await below.fill('9007199254740993');
  await below.press('Tab');
  await page.waitForFunction(() => decodeURIComponent(location.href).includes('9007199254740993'));
  await shows('0', 'America', '9007199254740993');
  await settled('what was chosen');
  const address = page.url();
  // It is there again after a reload, on the way back, and for whoever is sent it: asked for once, with all digits.
  const again = async (how) => {
    asked.length = 0;
    await how();
    await shows('0', 'America', '9007199254740993');
    same('the address', page.url(), address);
    same('what is asked', asked, ['{"parameters":{"region":{"region":{"eq":"US"}},"below":9007199254740993}}']);
  };
  await again(() => page.reload());
  await page.getByRole('navigation').getByRole('link', { name: 'Catalog' }).click();
  await page.getByRole('heading', { level: 1, name: 'Catalog' }).waitFor();
  await again(() => page.goBack());
  await page.goto(`${base}/console/catalog`);
  await again(() => page.goto(address));
  // In the page, an address says what stands there.
  await page.evaluate((at) => (history.pushState({}, '', `${at}?q=${encodeURIComponent('{"region":{"region":{"eq":"EU"}}}')}`), dispatchEvent(new PopStateEvent('popstate'))), at);
  await shows('1', 'Europe', '1000');
  await page.goBack();
  await shows('0', 'America', '9007199254740993');
  await region.selectOption({ label: 'All' });
  await shows('1', 'All', '9007199254740993');
  await below.fill('');
  await below.press('Tab');
  await shows('1', 'All', '1000');
  same('notes', await page.locator('main .note').count(), 0);
  // What fits no more is told, and all else is kept.
  for (const [q, words, name, number] of [
    ['{"region":{"region":{"startsWith":"E"}},"below":500}', 'for region no longer fits', 'All', '500'],
    ['{"region":{"region":{"eq":"EU"}},"below":"much"}', 'no longer fits', undefined, '1000'],
    ['{"gone":1,"below":500}', 'for gone no longer fits', 'All', '500'],
    ['{"below":{}}', 'no longer fits', 'All', '1000'],
    ['{"below":', 'no longer fits', 'All', '1000'],
  ]) {
    await page.goto(`${at}?q=${encodeURIComponent(q)}`);
    await expect(page, 'main .note', words);
    await shows('1', name ?? (await chosen()), number);
    same(`what is left of ${q}`, [/much|gone|startsWith|%7B%7D/.test(page.url())], [false]);
  }
  await settled('a stale address');
  await picture(page, 'stale');
  await region.selectOption({ label: 'Europe' });
  await page.locator('main .note').waitFor({ state: 'detached' });
  // The editor keeps digits that are written in it, and those that it was given.
  const digits = '9007199254740993';
  const written = () => page.evaluate(async () => {
    const response = await fetch('/graphql', { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${sessionStorage.getItem('usher.token')}` }, body: '{"query": "{ dashboard(name: \\"choices\\") { document } }"}' });
    return /"default":(\d+)/.exec(await response.text())[1];
  });
  await page.goto(`${at}/edit`);
  await page.getByRole('tab', { name: 'Parameters' }).click();
  await page.getByLabel('Default', { exact: true }).last().fill(digits);
  await page.reload(); // it is a draft now
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page, '.toasts', 'Saved as version 2.');
  same('the default', await written(), digits);
  await page.reload();
  await page.getByLabel('Title', { exact: true }).fill('Other choices');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page, '.toasts', 'Saved as version 3.');
  same('the default then', await written(), digits);
  await page.goto(at);
  await shows('1', 'All', digits);
  await asks(page, 'mutation { deleteDashboard(name: "choices", version: 3) }');
}

async function holder(page, { settled }) {
  const refused = [];
  page.on('response', (response) => response.status() === 403 && refused.push(response.url()));
  await page.goto(`${base}/console`);
  await page.getByRole('tab', { name: 'Token' }).click();
  await page.getByRole('textbox', { name: 'Token' }).fill(password);
  await page.getByRole('button', { name: 'Use this token' }).click();
  await page.getByRole('link', { name: 'Mine' }).waitFor();
  same('the pages', await page.getByRole('navigation').getByRole('link').allInnerTexts(), ['Dashboards']);
  await settled('its dashboards');
  await page.getByRole('link', { name: 'Mine' }).click();
  await page.locator('usher-dashboard .value', { hasText: '$10.50' }).waitFor();
  if (await page.getByRole('link', { name: 'Edit' }).count()) throw new Error('the holder edits');
  await page.goto(`${base}/console/query`);
  await expect(page, 'main', 'Your token shows dashboards and nothing else.');
  await page.getByRole('main').getByRole('link', { name: 'Dashboards' }).click();
  await page.getByRole('link', { name: 'Mine' }).waitFor();
  same('what was asked in vain', refused, []);
}
