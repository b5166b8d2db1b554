// Writes roles of a tenant in the console, and leaves forms unfinished, in Chromium:
//   node roles.mjs editor|judged|unsaved URL PASSWORD FOLDER
// The administrator, ann of acme, writes a role with the keyboard, is offered what there is, told what is wrong where it
// stands, by the page and by usher, and sees what the role gives. What the page says of values and of what may be granted
// is what usher says, and nothing that it would refuse is offered, put in by an example, or drawn as given. The operator, olga, begins roles, records of tenants
// and tokens: what she wrote is offered to her again after a reload and the end of her session, and to nobody else;
// secrets are not kept. Pictures go into FOLDER. See visit.mjs for what else makes it fail.
import { join } from 'node:path';
import { expect, visit, write } from './visit.mjs';

const [kind, base, password, folder] = process.argv.slice(2);
const uses = { editor, judged, unsaved };
if (!uses[kind] || !folder) {
  console.error('usage: node roles.mjs editor|judged|unsaved URL PASSWORD FOLDER');
  process.exit(2);
}
const markup = '<img src=x onerror=alert(1)>';
const says = 'What it says';
// compared are conditions on events, with what is said of each; undefined: nothing.
const compared = [
  ['id', 'gte', '"abc"', 'Must be a value of type Int'],
  ['id', 'eq', '"5"', 'Must be a value of type Int'],
  ['id', 'in', '5', 'Must be a list, [Int]'],
  ['id', 'in', '[1, "x"]', 'Must be a value of type Int'],
  ['id', 'in', '[1, null]', undefined, 'null compares with nothing'],
  ['id', 'eq', '2147483648', 'Expected Int: a whole number from -2147483648 to 2147483647'],
  ['id', 'eq', '1.5', 'Expected Int: a whole number from -2147483648 to 2147483647'],
  ['id', 'eq', '-2147483648'],
  ['id', 'in', '"$tenant"', '$tenant is one value; put it in a list, or use eq'],
  ['id', 'eq', '"$nothing"', '$nothing: there is no parameter nothing'],
  ['big', 'eq', '"-9223372036854775808"'],
  ['big', 'eq', '9223372036854775808', 'Expected BigInt: a whole number from -9223372036854775808 to 9223372036854775807'],
  ['amount', 'gt', '12345678901234567890123456789012345678.5', 'Expected Decimal: a number of at most 38 digits'],
  ['amount', 'gt', '1234567890123456789012345678901234567800e-2'],
  ['amount', 'gt', '"x"', 'Expected Decimal: a number of at most 38 digits'],
  ['ratio', 'lt', '1e400', 'Expected Float: a finite number'],
  ['ratio', 'lt', '-1.5e-3'],
  ['ok', 'eq', '"true"', 'Must be a value of type Boolean'],
  ['ok', 'isNull', '"yes"', 'Must be a value of type Boolean'],
  ['day', 'gte', '"2026-02-29"', 'Expected Date: a date such as 2026-11-21'],
  ['day', 'gte', '"0000-01-01"', 'Expected Date: a date such as 2026-11-21'],
  ['day', 'gte', '"2024-02-29"'],
  ['day', 'gte', '20240229', 'Must be a value of type Date'],
  ['clock', 'eq', '"24:00:00"'],
  ['clock', 'eq', '"7:00"', 'Expected Time: a time such as 22:19:23 or 22:19:23.5'],
  ['at', 'lt', '"2026-11-21"', 'Expected Timestamp: RFC 3339 with an offset and at most microseconds, such as 2026-11-21T22:19:23Z'],
  ['at', 'lt', '"2026-11-21T22:19:23.5+01:00"'],
  ['local', 'eq', '"2026-11-21T22:19:23Z"', 'Expected LocalTimestamp: a date and time without an offset, such as 2026-11-21T22:19:23'],
  ['local', 'eq', '"2026-11-21T22:19:23"'],
  ['span', 'eq', '"P1DT"', 'Expected Interval: an ISO 8601 duration such as P1Y2M3DT4H5M6.5S'],
  ['span', 'eq', '"P1Y2M3DT4H5M6.5S"'],
  ['uid', 'eq', '"123e4567"', 'Expected UUID: a UUID such as 123e4567-e89b-12d3-a456-426614174000'],
  ['uid', 'in', '["123E4567-E89B-12D3-A456-426614174000"]'],
  ['raw', 'eq', '"a"', 'Expected Bytes: base64 with padding'],
  ['raw', 'eq', '"aGk="'],
  ['tags', 'has', '5', 'Must be a value of type String'],
  ['tags', 'hasAny', '["x", 5]', 'Must be a value of type String'],
  ['tags', 'hasAll', '["x"]'],
  ['doc', 'contains', '{"a": 1}'],
];

await visit(new URL(base), { height: 900 }, (page, watch) => uses[kind](page, watch));

async function enter(page, name) {
  await page.getByLabel('Username').fill(name);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

function title(page, words) {
  return page.getByRole('heading', { level: 1, name: words, exact: true }).waitFor();
}

function go(page, name) {
  return page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
}

function text(page) {
  return page.getByRole('textbox', { name: says, exact: true }).innerText();
}

function offered(page) {
  return page.locator('.cm-tooltip-autocomplete li .cm-completionLabel').allInnerTexts();
}

function same(what, got, want) {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what} is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
}

// cells are the texts of a row of what a role gives.
async function cells(row) {
  return (await row.locator('td').allInnerTexts()).map((cell) => cell.replaceAll(/\s+/g, ' ').trim());
}

// put asks usher itself to keep a role, and returns what it says against it.
function put(page, spec) {
  return page.evaluate(
    ([url, body]) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${sessionStorage.getItem('usher.token')}` }, body }).then((response) => response.json()).then(({ errors }) => errors?.[0].message.split('\n') ?? []),
    [`${base}/graphql`, `{"query": "mutation($spec: JSON!) { admin { putRole(name: \\"tried\\", spec: $spec) { name } } }", "variables": {"spec": ${spec}}}`],
  );
}

async function pictures(page, name, settled) {
  for (const [width, colorScheme] of [[390, 'dark'], [390, 'light'], [800, 'light'], [1920, 'dark'], [1280, 'light']]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(300); // colors change slowly
    await settled(`${name} at ${width}, ${colorScheme}`);
    await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
  }
}

async function editor(page, { settled }) {
  await page.goto(`${base}/console/sign-in?tenant=acme`);
  await enter(page, 'ann');
  await title(page, 'Home');
  await go(page, 'Roles');
  await page.getByRole('button', { name: 'Make a role' }).first().click();
  await title(page, 'Make a role');
  await expect(page, '.role-findings', 'names no dataset yet');
  if (await page.locator('.role-findings .bad').count()) throw new Error('an empty role is wrong before anything is written');
  await settled('an empty role');

  // With the keyboard alone; each list has what can stand there, in an order of its own.
  await page.keyboard.type('few');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  const take = async (typed, want) => {
    if (typed) await page.keyboard.type(typed);
    else await page.keyboard.press('Control+Space');
    await page.locator('.cm-tooltip-autocomplete li').first().waitFor();
    if (want) same(`what is offered after ${await text(page)}`, (await offered(page)).slice(0, want.length), want);
    await page.waitForTimeout(100); // a list takes no key that comes as it opens
    await page.keyboard.press('Enter');
    await page.locator('.cm-tooltip-autocomplete').waitFor({ state: 'detached' });
  };
  await page.keyboard.type('{');
  await take('', ['datasets']);
  await take('"o', ['orders']);
  await take('', ['columns', 'filter', 'aggregate', 'limit', 'insert', 'update']);
  // Nobody deletes orders, or keeps deleted ones: neither is offered.
  await take('', ['id', 'region', 'note', 'total']);
  await page.keyboard.type(', ');
  await take('', ['region', 'note', 'total']);
  same('the text', await text(page), '{"datasets": {"orders": {"columns": ["id", "region"]}}}');
  await page.keyboard.press('End');
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowLeft');
  await page.keyboard.type(', ');
  await take('"fi', ['filter']);
  await take('"reg', ['region']);
  await take('', ['eq', 'neq']);
  await take('', ['north', 'south', '$subject', '$tenant', '$metadata.']);
  same('the text', await text(page), '{"datasets": {"orders": {"columns": ["id", "region"], "filter": {"region": {"eq": "north"}}}}}');
  await expect(page, '.role-findings', 'Nothing is to be said against it.');
  await expect(page, '.role-overview', 'region = north');
  same('what it gives', await cells(page.locator('.role-overview tbody tr')), ['2 of 4 columns', 'note, total', 'region = north', 'no', 'no', 'no']);
  await expect(page, '.role-gives', 'Not shown by this role: customers, events');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  if (await page.evaluate(() => document.activeElement?.shadowRoot !== null && document.activeElement?.classList.contains('editor'))) throw new Error('nobody leaves the text by keys');

  // What is wrong is told with its line, and the line leads there.
  await write(page, says, `{
  "datasets": {
    "orders": {
      "columns": ["id", "totl", "id"],
      "filter": {"customer": {"name": {"eq": "x"}}, "not": {"region": {"is": "north"}}, "or": []},
      "aggregate": "yes", "limit": 0, "colums": [],
      "insert": {}, "update": {"columns": ["id"], "filter": {"note": {"isNull": true}}, "check": {"or": [{"total": {"gt": 5}}, {"region": {"in": ["north", "south"]}}]}}, "delete": null
    },
    "ordres": {},
    "${markup}": {}
  }
}`);
  for (const [line, words] of [
    [4, 'orders has no column totl'], [4, 'id stands here twice'], [5, 'follows no relations'], [5, 'is compares nothing here'], [5, 'must be a list of conditions'],
    [6, 'must be true or false'], [6, "Must be a whole number from 1 to the dataset's maximum, 10000"], [6, 'There is no colums here. There are columns, filter,'], [9, 'There is no dataset ordres'], [10, markup],
  ]) await expect(page, '.role-findings li', new RegExp(`^Line ${line}\\s[^]*${words.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`));
  await expect(page, '.role-overview', /yes\s*id\s*where note is empty\s*if then \(total > 5 or region is one of north, south\)/);
  await expect(page, '.role-overview', 'not known');
  // What is wrong is no fact of the table.
  const row = page.locator('.role-overview tbody tr');
  for (const word of ['columns', 'filter', 'aggregate', 'limit', 'delete']) await expect(page, '.role-overview tbody tr:first-child .badge.bad', `${word} is wrong`);
  same('what may be deleted', (await cells(row.first())).at(-1), 'delete is wrong');
  same('what is unknown gives', await cells(row.nth(1)), Array(6).fill('–'));
  await expect(page, '.role-gives .note', 'It cannot be saved as it stands.');
  await pictures(page, 'findings', settled);
  await page.getByRole('button', { name: 'Line 9' }).click();
  await page.keyboard.insertText('"customers"');
  await page.locator('.role-findings li', { hasText: 'ordres' }).waitFor({ state: 'detached' });
  // What is not JSON is told at its place, and what stands before it is read.
  for (const [bad, words] of [['', 'A value is missing here.'], ['{"datasets": {"orders": {}', 'A } is missing at the end.'], ['{"datasets": {"orders": {"limit": 5 "aggregate": true}}}', 'A comma is missing before this.'],
    ['{"datasets": {"orders": {"limit": 5,}}}', 'one too many'], ['{datasets: {}}', 'A name in double quotes'], ['{"datasets" {}}', 'A colon is missing after "datasets".'], ['{"datasets": nil}', 'double quotes: "nil"'],
    ['{"datasets": {}} {}', 'Nothing may follow'], ['null', 'This must be an object'], ['[]', 'This must be an object'], ['{"datasets": null}', 'This must be an object'], ['{"datasets": {"orders": {"columns": []}}}', 'left out instead'],
    ['{"datasets": {"orders": {"columns": null}}}', 'list of names'], ['{"datasets": {"orders": {"filter": null}}}', 'must be a condition'], ['{"datasets": {"orders": {"filter": {"note": {"eq": null}}}}}', 'null compares with nothing']]) {
    await write(page, says, bad);
    await expect(page, '.role-findings', words);
  }
  await write(page, says, '{"datasets": {"orders": {}, "customers": {"limit": 1 2');
  await expect(page, '.role-overview', 'up to 1 rows');
  if (await page.getByRole('button', { name: 'Save' }).isEnabled()) throw new Error('what cannot be read is saved');
  await expect(page, '.page-head', 'Its text cannot be read yet.');

  // An example is put in; everything else stays as it is written.
  await write(page, says, '{"datasets": {"customers": {"limit":   1}}}');
  await page.locator('summary', { hasText: 'Groups and totals' }).click();
  await page.getByRole('button', { name: 'Use it for customers: Groups and totals, few rows at a time' }).click();
  await expect(page, '.role-overview', 'up to 100 rows');
  await settled('an example');

  // What only usher knows is told where it stands as well, until it is mended.
  await write(page, says, '{\n  "datasets": {\n    "orders": {"filter": {"not": {"total": {"gt": 9007199254740993}}}, "limit": 999999999},\n    "customers": {"filter": {"name": {"eq": 5}}}\n  }\n}');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page, '.role-findings li', /^Line 3[^]*dataset's maximum/);
  await expect(page, '.role-findings li', /^Line 4/);
  if (await page.locator('.note.bad').count()) throw new Error('a refusal is told beside its line and elsewhere');
  await settled('a refusal');
  await write(page, says, '{\n  "datasets": {\n    "orders": {"filter": {"not": {"total": {"gt": 9007199254740993}}}, "columns": ["id", "note"]}\n  }\n}');
  await expect(page, '.role-findings', 'Nothing is to be said against it.');
  await page.getByLabel('Name', { exact: true }).fill('few!');
  await expect(page, '.field .wrong', 'at most 63');
  if (await page.getByRole('button', { name: 'Save' }).isEnabled()) throw new Error('a name of no form is saved');
  await page.getByLabel('Name', { exact: true }).fill('few');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Control+Enter'); // saves
  await title(page, 'few');
  await expect(page, '.role-overview', 'not (total > 9007199254740993)');
  await expect(page, '.sheet', '9007199254740993');
  await pictures(page, 'role', settled);

  // It is changed as it is written; nobody but whoever writes says when it is saved.
  await page.getByRole('button', { name: 'Actions: few' }).click();
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  await title(page, 'Edit: few');
  if (!(await text(page)).includes('9007199254740993')) throw new Error(`the digits of a number are lost: ${await text(page)}`);
  if (await page.getByRole('button', { name: 'Save' }).isEnabled()) throw new Error('what was not changed is saved');
  await write(page, says, '{"datasets": {"orders": {"columns": ["id"]}}}');
  await page.getByRole('button', { name: 'Save' }).click();
  await title(page, 'few');
  await expect(page, '.sheet', '"columns"');
  await page.goto(`${base}/console/roles/none/edit`);
  await expect(page, 'main', 'There is no role of this name');
}

// judged compares what the page says of a role, offers and draws with what usher says.
async function judged(page, { settled }) {
  await page.goto(`${base}/console/sign-in?tenant=acme`);
  await enter(page, 'ann');
  await title(page, 'Home');
  await page.goto(`${base}/console/new-role`);
  await page.getByLabel('Name', { exact: true }).fill('tried');
  await expect(page, '.role-findings', 'names no dataset yet');

  // Of each value the page says what usher says, and so where usher says nothing.
  const conditions = compared.map(([column, operator, operand]) => `{"${column}": {"${operator}": ${operand}}}`);
  const spec = `{"datasets": {"events": {"filter": {"or": [\n${conditions.join(',\n')}\n]}}}}`;
  await write(page, says, spec);
  await expect(page, '.role-findings', 'Must be a value of type Int');
  const told = new Map();
  for (const line of await page.locator('.role-findings li').allInnerTexts()) {
    const [, at, words] = /^Line (\d+)\s+([^]*)$/.exec(line.trim());
    told.set(Number(at) - 2, words);
  }
  const refused = new Map();
  for (const line of await put(page, spec)) {
    const [, at, words] = /\.filter\.or\.(\d+)\.[^ ]*: ([^]*)$/.exec(line) ?? [];
    if (words === undefined) throw new Error(`usher says ${line}`);
    refused.set(Number(at), words.charAt(0).toUpperCase() + words.slice(1));
  }
  for (const [at, [, , , words, begins]] of compared.entries()) {
    if (begins === undefined) same(`what the page says of ${conditions[at]}`, told.get(at), words);
    else if (!told.get(at)?.startsWith(begins)) throw new Error(`the page says of ${conditions[at]}: ${told.get(at)}`);
    if (begins === undefined) same(`what usher says of ${conditions[at]}`, refused.get(at), words);
    else if (!refused.get(at)?.toLowerCase().startsWith(begins)) throw new Error(`usher says of ${conditions[at]}: ${refused.get(at)}`);
  }
  await expect(page, '.role-overview', 'filter is wrong');
  if (await page.locator('.role-overview .condition').count()) throw new Error('a filter is drawn that is wrong');
  await settled('values that are wrong');
  await write(page, says, '{"datasets": {"orders": {"filter": {"region": {"in": ["north", "nort"]}}}}}');
  await expect(page, '.role-findings', 'Expected Region: one of north, south');
  same('what usher says of a label', await put(page, '{"datasets": {"orders": {"filter": {"region": {"in": ["north", "nort"]}}}}}'), ['roles.tried.datasets.orders.filter.region.in: expected Region: one of north, south']);
  for (const bad of ['{"day": {"last": 7}}', '{"day": {"last": {"n": 0, "unit": "DAY"}}}', '{"day": {"toDate": "DAYS"}}', '{"ok": {"gt": true}}', '{"id": {"like": "x"}}', '{"tags": {"eq": ["x"]}}']) {
    await write(page, says, `{"datasets": {"events": {"filter": ${bad}}}}`);
    await expect(page, '.role-overview', 'filter is wrong');
  }

  // Of what may be granted as well: words, columns, limits.
  for (const [right, words, gives] of [
    ['"events": {"insert": {}}', 'Nothing of events may be written in this way', 'insert is wrong'],
    ['"events": {"update": {"columns": ["big"]}}', 'Nothing of events may be written in this way', 'update is wrong'],
    ['"customers": {"delete": {}}', 'Nothing of customers may be written in this way', 'delete is wrong'],
    ['"orders": {"include_deleted": true}', 'orders keeps no deleted rows', 'include_deleted is wrong'],
    ['"orders": {"columns": ["id"], "update": {"columns": ["note"]}}', 'note is not among the columns that the role shows', 'update is wrong'],
    ['"events": {"limit": 12345678901234567890}', "Must be a whole number from 1 to the dataset's maximum, 50", 'limit is wrong'],
    ['"events": {"limit": 51}', "Must be a whole number from 1 to the dataset's maximum, 50", 'limit is wrong'],
    ['"events": {"limit": -3}', "Must be a whole number from 1 to the dataset's maximum, 50", 'limit is wrong'],
    ['"orders": {"insert": true}', 'This must be an object', 'insert is wrong'],
    ['"orders": {"update": []}', 'This must be an object', 'update is wrong'],
    ['"orders": {"aggregate": {}}', 'This must be true or false', 'aggregate is wrong'],
    ['"orders": {"filter": {}}', 'Is empty, which would allow everything', 'filter is wrong'],
    ['"orders": 5', 'This must be an object', 'wrong'],
  ]) {
    await write(page, says, `{"datasets": {${right}}}`);
    await expect(page, '.role-findings li', words);
    await expect(page, '.role-overview .badge.bad', gives);
    if (await page.locator('.role-overview .badge.good').count()) throw new Error(`${right} is drawn as given`);
    if (/up to|may group|deleted rows too/.test(await page.locator('.role-overview').innerText())) throw new Error(`${right} is drawn as given: ${await page.locator('.role-overview').innerText()}`);
    const [refusal] = await put(page, `{"datasets": {${right}}}`);
    if (refusal === undefined) throw new Error(`usher keeps ${right}`);
    if (!words.startsWith('This') && !refusal.endsWith(words.charAt(0).toLowerCase() + words.slice(1)) && !refusal.includes(words.charAt(0).toLowerCase() + words.slice(1))) throw new Error(`usher says of ${right}: ${refusal}`);
  }
  await write(page, says, '{"datasets": {"orders": {"select": {}}}}');
  await expect(page, '.role-findings li', 'There is no select here.');

  // Examples are of what there is: usher keeps each, and where nothing is written there is none of writing.
  for (const [dataset, examples] of [['orders', 5], ['events', 2], ['customers', 4]]) {
    await write(page, says, `{"datasets": {"${dataset}": {}}}`);
    await expect(page, '.role-overview th[scope=row]', dataset);
    const uses = page.getByRole('button', { name: new RegExp(`^Use it for ${dataset}`), includeHidden: true });
    await uses.first().waitFor({ state: 'attached' });
    same(`the examples for ${dataset}`, await uses.count(), examples);
    for (let at = 0; at < examples; at++) {
      await page.locator('.role-example').nth(at).evaluate((each) => (each.open = true));
      await uses.nth(at).click();
      await page.waitForTimeout(300);
      await expect(page, '.role-findings', 'Nothing is to be said against it.');
      same(`what usher says of ${await text(page)}`, await put(page, await text(page)), []);
    }
  }
  await page.locator('summary', { hasText: 'The words of a right' }).click();
  await expect(page, '.role-help dt', /insert\s+not for customers/);
  await settled('what is not for a dataset');

  // Whatever is typed, pasted or shown beside keeps to the policy of the page: visit.mjs fails on any breach.
  const field = page.getByRole('textbox', { name: says, exact: true });
  await field.click();
  for (const keys of [['Control+A'], ['Control+Home', 'ArrowDown', 'Shift+ArrowDown', 'Shift+ArrowDown']]) {
    await write(page, says, '{\n  "datasets": {\n    "orders": {"limit": 5}\n  }\n}');
    for (const key of keys) await page.keyboard.press(key);
    await page.keyboard.type('x');
    await page.keyboard.press('Control+Z');
    for (const key of keys) await page.keyboard.press(key);
    await page.keyboard.insertText('"datasets"');
  }
  same('what is typed over two lines', await text(page), '{\n"datasets"  }\n}');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('"'); // goes around what is selected
  same('what is quoted', (await text(page)).at(0) + (await text(page)).at(-1), '""');
  await write(page, says, '{"datasets": {"nothing": {}}}');
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Control+C');
  await page.keyboard.press('Control+V');
  await write(page, says, '{"datasets": {"none": {}}}');
  await page.locator('.cm-lintRange').first().hover();
  await page.locator('.cm-tooltip').first().waitFor();
  await field.click();
  for (const key of ['F8', 'Control+Shift+M', 'Escape', 'Control+F', 'Escape', 'Control+Space']) await page.keyboard.press(key);
  await page.waitForTimeout(300);
}

async function unsaved(page, { settled }) {
  const drafts = () => page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith('usher.draft')).length);
  const kept = () => page.evaluate(() => JSON.stringify({ ...sessionStorage }));
  const ended = () =>
    page.evaluate(
      ([url]) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${sessionStorage.getItem('usher.token')}` }, body: '{"query": "mutation { logoutEverywhere }"}' }).then((response) => response.text()),
      [`${base}/graphql`],
    );
  const again = async () => {
    await ended();
    await page.reload();
    await page.getByLabel('Username').waitFor();
    await enter(page, 'olga');
  };
  const dialog = page.getByRole('dialog');
  await page.goto(`${base}/console/roles?tenant=acme`);
  await enter(page, 'olga');

  // A role, after the end of a session and from the list.
  await page.getByRole('button', { name: 'Make a role' }).first().click();
  await page.getByLabel('Name', { exact: true }).fill('begun');
  await write(page, says, '{"datasets": {"orders": {"limit": 7}}}');
  await expect(page, '.role-overview', 'up to 7 rows');
  await again();
  await expect(page, '.note', 'What you had not saved is here again.');
  same('the name', await page.getByLabel('Name', { exact: true }).inputValue(), 'begun');
  await expect(page, '.role-overview', 'up to 7 rows');
  await settled('a role with what was there');
  await page.getByRole('main').getByRole('link', { name: 'Roles' }).click();
  await expect(page, '.note', 'You have unsaved changes: Make a role, acme');
  await settled('an offer');
  await page.getByRole('button', { name: 'Take them up: Make a role, acme' }).click();
  await expect(page, '.role-overview', 'up to 7 rows');
  await page.getByRole('button', { name: 'Save' }).click();
  await title(page, 'begun');
  same('the drafts of what is saved', await drafts(), 0);
  // One of an older state is told as such, and one that is discarded is gone.
  await page.goto(`${base}/console/roles/begun/edit?tenant=acme`);
  await write(page, says, '{"datasets": {"orders": {"limit": 8}}}');
  await expect(page, '.role-overview', 'up to 8 rows');
  await page.evaluate(
    ([url]) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${sessionStorage.getItem('usher.token')}` }, body: JSON.stringify({ query: 'mutation { admin { putRole(tenant: "acme", name: "begun", spec: {datasets: {orders: {limit: 9}}}) { name } } }' }) }).then((response) => response.text()),
    [`${base}/graphql`],
  );
  await page.reload();
  await expect(page, '.note.warn', 'Somebody has changed this role since you began.');
  await page.getByRole('button', { name: 'Discard it' }).click();
  await expect(page, '.role-overview', 'up to 9 rows');
  same('the warnings of what is discarded', await page.locator('.note.warn').count(), 0);
  same('the drafts of what is discarded', await drafts(), 0);

  // A tenant's record, form by form.
  await page.goto(`${base}/console/tenants`);
  await page.getByRole('button', { name: 'Register a tenant' }).first().click();
  await dialog.getByLabel('Id', { exact: true }).fill('later');
  await dialog.getByLabel('Name', { exact: true }).fill(markup);
  await again();
  await expect(page, '.note', 'You have unsaved changes: Register a tenant');
  await page.getByRole('button', { name: 'Take them up: Register a tenant' }).click();
  await expect(page, '.dialog', 'What you had not saved is here again.');
  same('the id', await dialog.getByLabel('Id', { exact: true }).inputValue(), 'later');
  await page.mouse.click(5, 5); // beside the dialog: nothing is lost
  same('the name', await dialog.getByLabel('Name', { exact: true }).inputValue(), markup);
  await dialog.getByLabel('Name', { exact: true }).press('Escape'); // closes it, and takes nothing away
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Register a tenant', exact: true }).first().click();
  await expect(page, '.dialog', 'What you had not saved is here again.');
  same('the name after Escape', await dialog.getByLabel('Name', { exact: true }).inputValue(), markup);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  same('the drafts of what is given up', await drafts(), 0);
  await page.getByRole('button', { name: 'Register a tenant', exact: true }).first().click();
  same('the name when it was given up', await dialog.getByLabel('Name', { exact: true }).inputValue(), '');
  await dialog.getByLabel('Id', { exact: true }).fill('later');
  await dialog.getByLabel('Name', { exact: true }).fill(markup);
  await dialog.getByRole('button', { name: 'Register a tenant' }).click();
  await title(page, markup);
  same('the drafts of what is registered', await drafts(), 0);
  for (const [edit, fill] of [
    ['Name', async () => dialog.getByLabel('Name', { exact: true }).fill('Renamed')],
    ['External ids', async () => dialog.getByRole('textbox').fill('org_1\norg_2')],
    ['Strategy', async () => (await dialog.locator('.select .trigger').first().click(), await page.getByRole('option').nth(1).click())],
    ['Accounts may lead to', async () => (await dialog.locator('.check').click(), await dialog.getByRole('textbox').fill('*.db.example'))],
    ['Turns where others wait', async () => dialog.getByRole('textbox').fill('7')],
    ['In a minute', async () => dialog.getByLabel('Rows a minute').fill('123456')],
  ]) {
    await page.getByRole('button', { name: `Edit: ${edit}` }).click();
    await dialog.waitFor();
    await fill();
    await page.reload();
    await page.getByRole('button', { name: /^Take them up/ }).click();
    await expect(page, '.dialog', 'What you had not saved is here again.');
    await dialog.getByRole('button', { name: 'Discard it' }).click();
    same(`the drafts of ${edit}`, await drafts(), 0);
    await fill();
    await page.reload();
    await expect(page, '.note', /You have unsaved changes/);
    same(`the drafts of ${edit}`, await drafts(), 1);
    await page.getByRole('button', { name: /^Discard: / }).click();
    await page.locator('.note.restored').waitFor({ state: 'detached' });
    same(`the drafts of ${edit}`, await drafts(), 0);
  }
  // Why somebody acts as the tenant is there again, on its page and from the list; what confirms an end is not kept.
  const acts = async () => {
    await page.getByRole('button', { name: /^Actions: / }).click();
    await page.getByRole('menuitem', { name: 'Act as this tenant' }).click();
    await dialog.getByLabel('Reason').fill('ticket 17');
    await dialog.getByLabel('Minutes').fill('5');
  };
  await acts();
  await again();
  await page.getByRole('button', { name: /^Take them up: Act as this tenant/ }).click();
  same('the reason', await dialog.getByLabel('Reason').inputValue(), 'ticket 17');
  same('the minutes', await dialog.getByLabel('Minutes').inputValue(), '5');
  await settled('acting with what was there');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  same('the drafts of what is cancelled', await drafts(), 0);
  await acts();
  await dialog.getByRole('button', { name: 'Act as this tenant' }).click();
  await expect(page, '.banner', 'ticket 17');
  same('the drafts of what has begun', await drafts(), 0);
  await page.getByRole('button', { name: 'Stop acting' }).click();
  await page.getByRole('link', { name: 'Renamed' }).or(page.getByRole('link', { name: markup })).first().click();
  await page.getByRole('button', { name: /^Actions: / }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await dialog.getByRole('textbox').fill('later');
  same('the drafts of a confirmation', await drafts(), 0);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  // Accounts have passwords, so nothing of them is kept.
  await page.getByRole('button', { name: 'Set: silo' }).click();
  await dialog.getByLabel('User').fill('canary-user');
  await dialog.getByLabel('Password').fill('canary-password');
  if ((await kept()).includes('canary')) throw new Error('an account is kept');
  await page.keyboard.press('Escape');

  // A token: whatever may be a secret is missing, and that is said.
  await page.goto(`${base}/console/tokens`);
  await page.getByRole('button', { name: 'Mint a token' }).first().click();
  await dialog.getByRole('combobox', { name: 'Tenant' }).fill('acm');
  await page.getByRole('option', { name: /acme/ }).click();
  await dialog.getByLabel('For', { exact: true }).fill('portal');
  await dialog.getByRole('combobox', { name: 'Roles' }).fill('begun reader');
  await page.keyboard.press('Enter');
  await dialog.getByLabel('Filters').fill('{"orders": {"note": {"eq": "x"}}}');
  await dialog.getByText('More', { exact: true }).click();
  await dialog.getByLabel('Metadata').fill('{"key": "canary-metadata"}');
  await dialog.getByText('Limits of a minute', { exact: true }).click();
  await dialog.getByLabel('Rows a minute').fill('42');
  if ((await kept()).includes('canary')) throw new Error('metadata is kept');
  await again();
  await page.getByRole('button', { name: 'Take them up: Mint a token' }).click();
  same('for whom', await dialog.getByLabel('For', { exact: true }).inputValue(), 'portal');
  same('the tenant', await dialog.getByRole('combobox', { name: 'Tenant' }).inputValue(), 'acme');
  same('the filters', await dialog.getByLabel('Filters').inputValue(), '{"orders": {"note": {"eq": "x"}}}');
  await expect(page, '.dialog .chosen', 'begun');
  await expect(page, '.dialog .wrong', 'write them again');
  same('metadata', await dialog.getByLabel('Metadata').inputValue(), '');
  await dialog.getByText('Limits of a minute', { exact: true }).click();
  same('rows', await dialog.getByLabel('Rows a minute').inputValue(), '42');
  await settled('a token with what was there');
  await dialog.getByLabel('Metadata').fill('{"key": "canary-metadata"}');
  await dialog.getByRole('button', { name: 'Mint a token' }).click();
  await expect(page, '.secret', 'usher_et_');
  await expect(page, '.dialog', 'What such a token sees');
  const token = await page.locator('.secret code').first().innerText();
  if ((await kept()).includes(token)) throw new Error('a token is kept');
  same('the drafts of what is minted', await drafts(), 0);
  await dialog.getByRole('button', { name: 'Done' }).click();

  // People and keys: all but passwords.
  await page.goto(`${base}/console/users?tenant=acme`);
  await page.getByRole('button', { name: 'Add a user' }).first().click();
  await dialog.getByLabel('Username').fill('later');
  await dialog.getByLabel('E-mail', { exact: true }).fill('later@acme.example');
  await dialog.getByLabel('Password').fill('canary-password');
  if ((await kept()).includes('canary')) throw new Error('a password is kept');
  await ended();
  await dialog.getByRole('button', { name: 'Add a user' }).click();
  await dialog.waitFor({ state: 'detached' }); // which has a username, too
  await enter(page, 'olga');
  await page.getByRole('button', { name: 'Take them up: Add a user' }).click();
  same('the username', await dialog.getByLabel('Username').inputValue(), 'later');
  same('the e-mail', await dialog.getByLabel('E-mail', { exact: true }).inputValue(), 'later@acme.example');
  same('the password', await dialog.getByLabel('Password').inputValue(), '');
  await settled('a user with what was there');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  same('the drafts of what is cancelled', await drafts(), 0);
  await page.goto(`${base}/console/users/ann?tenant=acme`);
  await page.getByRole('button', { name: 'Edit: E-mail' }).click();
  await dialog.getByLabel('E-mail', { exact: true }).fill('ann@acme.example');
  await again();
  await page.getByRole('button', { name: /^Take them up: / }).click();
  same('the e-mail of ann', await dialog.getByLabel('E-mail', { exact: true }).inputValue(), 'ann@acme.example');
  await page.goto(`${base}/console/users`); // where the list leads to her page
  await page.getByRole('button', { name: /^Take them up: / }).click();
  await title(page, 'ann');
  await page.getByRole('button', { name: /^Discard: / }).click();
  await page.getByRole('button', { name: 'Edit: Roles' }).click();
  await dialog.locator('.check', { hasText: 'Explain' }).waitFor({ state: 'detached' });
  await dialog.locator('.check', { hasText: 'Change data' }).click();
  await page.reload();
  await page.getByRole('button', { name: /^Take them up: / }).click();
  same('her right to write', await dialog.getByRole('checkbox', { name: /Change data/ }).isChecked(), false);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.goto(`${base}/console/keys`);
  await page.getByRole('button', { name: 'Make a key' }).first().click();
  await dialog.getByLabel('Name', { exact: true }).fill('backend');
  await page.reload();
  await page.getByRole('button', { name: 'Take them up: Make a key' }).click();
  same('the name of the key', await dialog.getByLabel('Name', { exact: true }).inputValue(), 'backend');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.goto(`${base}/console/dashboards`);
  await page.getByRole('button', { name: 'Make a dashboard', exact: true }).click();
  await dialog.getByLabel('Title').fill('Begun');
  await page.reload();
  await page.getByRole('button', { name: 'Take them up: Make a dashboard' }).click();
  same('the title', await dialog.getByLabel('Title').inputValue(), 'Begun');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  same('the drafts of what is cancelled', await drafts(), 0);
  await page.goto(`${base}/console/tokens`);

  // What is begun is nobody else's.
  await page.getByRole('button', { name: 'Mint a token' }).first().click();
  await dialog.getByLabel('For', { exact: true }).fill('of olga');
  same('the drafts', await drafts(), 1);
  await ended();
  await page.reload();
  await page.getByLabel('Username').waitFor();
  await enter(page, 'acme|ann');
  await title(page, 'Tokens');
  await expect(page, 'main', 'Mint a token');
  same('the offers to somebody else', await page.locator('.note.restored').count(), 0);
  same('the drafts of somebody else', await drafts(), 0);
  // Nor do they come back to her.
  await page.getByLabel('Your session').or(page.getByRole('button', { name: 'Your session' })).first().click();
  await page.getByRole('menuitem', { name: 'Sign out', exact: true }).click();
  await page.getByLabel('Username').waitFor();
  await page.goto(`${base}/console/sign-in?back=/tokens`);
  await enter(page, 'olga');
  await title(page, 'Tokens');
  same('the offers of what somebody else has ended', await page.locator('.note.restored').count(), 0);
}
