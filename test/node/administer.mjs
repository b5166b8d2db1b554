// Uses the console as three kinds of people do, in Chromium:
//   node administer.mjs operator|administrator|reader URL PASSWORD
// The operator, olga, administers all tenants: registers one, umbrella, with a user,
// a role and a token, acts as it, and reads of it in the audit log. The
// administrator, ann of umbrella, sees her own tenant only. The reader, rita of
// umbrella, sees data, and is led back to where she was when her session has ended.
// See visit.mjs for what else makes it fail.
import { expect, visit } from './visit.mjs';

const [kind, base, password] = process.argv.slice(2);
const uses = { operator, administrator, reader };
if (!uses[kind] || !password) {
  console.error('usage: node administer.mjs operator|administrator|reader URL PASSWORD');
  process.exit(2);
}
const markup = '<img src=x onerror=alert(1)>';
const address = new URL(base);

await visit(address, { dark: kind === 'administrator' }, (page, watch) => uses[kind](page, watch));

async function operator(page, { settled }) {
  await page.goto(`${base}/console/tenants`);
  await enter(page, 'olga');
  await title(page, 'Tenants');
  await settled('no tenants');

  await page.getByRole('button', { name: 'Register a tenant' }).first().click();
  await settled('registering');
  await page.getByLabel('Id', { exact: true }).fill('umbrella');
  await page.getByLabel('Name', { exact: true }).fill(markup);
  await page.getByRole('dialog').getByRole('button', { name: 'Register a tenant' }).click();
  await title(page, markup);
  await page.getByRole('button', { name: 'Test the accounts' }).click();
  await expect(page, '.note.good', 'All of it can be read.');
  await settled('a tenant');

  await page.locator('.stack').getByRole('link', { name: 'Users' }).click();
  await title(page, 'Users');
  for (const [username, scopes] of [['ann', ['Administer', 'Mint tokens']], ['rita', []]]) {
    await page.getByRole('button', { name: 'Add a user' }).first().click();
    await page.getByLabel('Username').fill(username);
    await page.getByLabel('Password').fill(password);
    await page.getByLabel('Name', { exact: true }).fill(`${username} ${markup}`);
    for (const scope of scopes) await page.locator('.check', { hasText: scope }).click();
    if (scopes.length) await settled('adding a user');
    await page.getByRole('dialog').getByRole('button', { name: 'Add a user' }).click();
    await expect(page, '.table', `${username} ${markup}`);
  }
  await settled('users');

  await go(page, 'Roles');
  await expect(page, '.card', 'Choose a tenant');
  await choose(page, 'Tenant', 'umbrella');
  await page.getByRole('button', { name: 'Make a role' }).first().click();
  await page.getByLabel('Name', { exact: true }).fill('few');
  await page.getByLabel('What it says').fill('{"datasets": {"notes": {"columns": ["id"]}}}');
  await settled('making a role');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page, '.table', 'few');
  await settled('roles');

  await go(page, 'Tokens');
  await page.getByRole('button', { name: 'Mint a token' }).first().click();
  const mint = page.getByRole('dialog');
  await mint.getByRole('combobox', { name: 'Tenant' }).fill('umb');
  await page.getByRole('option', { name: /umbrella/ }).click();
  await mint.getByLabel('For').fill('portal');
  await mint.getByLabel('Filters').fill('{"notes": ');
  await expect(page, '.dialog .wrong', 'This is no JSON object.');
  await mint.getByLabel('Filters').fill('{"notes": {"text": {"eq": "hello"}}}');
  await mint.getByLabel('Roles').fill('few');
  await mint.getByRole('button', { name: 'What would it see?' }).click();
  await expect(page, '.sees', 'notes');
  if ((await page.locator('.sees').innerText()).includes('text')) throw new Error('the role few shows the column text');
  await settled('minting');
  await mint.getByRole('button', { name: 'Mint a token' }).click();
  await expect(page, '.secret', 'usher_et_');
  await settled('a minted token');
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page, '.table', 'portal');
  await settled('tokens');
  await page.getByRole('button', { name: 'Actions: portal' }).click();
  await page.getByRole('menuitem', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(page, '.toasts', '1 token has ended.');

  await go(page, 'Keys', 'Service keys');
  await page.getByRole('button', { name: 'Make a key' }).first().click();
  await page.getByLabel('Name', { exact: true }).fill('backend');
  await settled('making a key');
  await page.getByRole('dialog').getByRole('button', { name: 'Make a key' }).click();
  await expect(page, '.secret', 'usher_sk_');
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page, '.table', 'backend');
  await settled('keys');

  await go(page, 'Tenants');
  await page.getByRole('button', { name: `Actions: ${markup}` }).click();
  await page.getByRole('menuitem', { name: 'Act as this tenant' }).click();
  await page.getByLabel('Reason').fill('to see what they see');
  await page.getByRole('dialog').getByRole('button', { name: 'Act as this tenant' }).click();
  await expect(page, '.banner', 'You act as umbrella');
  if (await page.getByRole('link', { name: 'Users' }).count()) throw new Error('who acts administers');
  await settled('acting');
  await page.getByRole('button', { name: 'Stop acting' }).click();
  await title(page, 'Tenants');

  await go(page, 'Audit');
  await page.getByLabel('Operation').fill('actAs');
  await expect(page, '.table', 'to see what they see');
  await settled('audit');
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export CSV' }).click()]);
  if (!/^audit-.*\.csv$/.test(file.suggestedFilename())) throw new Error(`the file is called ${file.suggestedFilename()}`);

  // What ends for ever asks for its name first.
  await go(page, 'Tenants');
  await page.getByRole('button', { name: 'Register a tenant' }).first().click();
  await page.getByLabel('Id', { exact: true }).fill('brief');
  await page.getByRole('dialog').getByRole('button', { name: 'Register a tenant' }).click();
  await title(page, 'brief');
  await page.getByRole('button', { name: 'Actions: brief' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  const end = page.getByRole('dialog').getByRole('button', { name: 'Delete' });
  if (await end.isEnabled()) throw new Error('a tenant is deleted without its name');
  await page.getByLabel('Type brief to go on').fill('brief');
  await end.click();
  await expect(page, '.badge.bad', 'deleted');
  await signOut(page);
}

async function administrator(page, { settled }) {
  await page.goto(`${base}/console/sign-in?tenant=umbrella`);
  await enter(page, 'ann');
  await title(page, 'Home');
  await settled('home');
  const pages = await page.getByRole('navigation').getByRole('link').allInnerTexts();
  same(pages, ['Home', 'Catalog', 'Explore', 'Dashboards', 'Query', 'Saved', 'Tenant', 'Users', 'Roles', 'Tokens', 'Keys', 'Audit']);
  await go(page, 'Tenant', markup);
  if (await page.getByRole('menuitem', { name: 'Delete' }).count()) throw new Error('a tenant deletes itself');
  await settled('her tenant');
  await go(page, 'Users');
  await expect(page, '.table', 'umbrella|rita');
  if (await page.getByRole('combobox').count()) throw new Error('she chooses among tenants');
  await page.getByRole('button', { name: 'Actions: rita' }).click();
  await settled('actions');
  await page.getByRole('menuitem', { name: 'Change rights' }).click();
  // Nobody gives what they have not.
  if (await page.locator('.check', { hasText: 'Export data' }).count()) throw new Error('she gives what she has not');
  await page.keyboard.press('Escape');
  await go(page, 'Roles');
  await expect(page, '.table', 'few');
  await page.getByRole('button', { name: 'Make a role' }).first().click(); // of her tenant, which she does not name
  await page.getByLabel('Name', { exact: true }).fill('hers');
  await page.getByLabel('What it says').fill('{"datasets": {"notes": {}}}');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page, '.table', 'hers');
  await go(page, 'Audit');
  await expect(page, '.table', 'login');
  await page.goto(`${base}/console/tenants/other`);
  await expect(page, 'body', /no tenant of this id|did not work/);
  await signOut(page);
}

async function reader(page, { settled }) {
  await page.goto(`${base}/console/`);
  await enter(page, 'umbrella|rita');
  await title(page, 'Home');
  same(await page.getByRole('navigation').getByRole('link').allInnerTexts(), ['Home', 'Catalog', 'Explore', 'Dashboards', 'Query', 'Saved']);
  await page.goto(`${base}/console/users`);
  await title(page, 'There is no such page');
  await settled('a page that she cannot fill');

  await go(page, 'Catalog');
  await page.getByRole('link', { name: new RegExp('Notes') }).click();
  await expect(page, '.detail', markup); // of the description
  await settled('catalog');
  await page.getByLabel('Search datasets').fill('nothing of this kind');
  await expect(page, '.list', 'No dataset matches');
  await page.getByRole('button', { name: 'Query it' }).click();
  await page.getByRole('button', { name: 'Run' }).click();
  await expect(page, '.answer .cm-content', '"hello"');

  // Her session ends elsewhere: she signs in again and is back where she was.
  await page.evaluate(() =>
    fetch(new URL('../graphql', document.baseURI), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${sessionStorage.getItem('usher.token')}` },
      body: JSON.stringify({ query: 'mutation { logout }' }),
    }),
  );
  await go(page, 'Catalog', null);
  await page.getByRole('link', { name: new RegExp('Tags') }).click();
  await expect(page, '.note', 'The server no longer accepts your token');
  await settled('a session that has ended');
  await enter(page, 'umbrella|rita');
  await expect(page, '.detail h2', 'Tags');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('button', { name: 'Open the menu' }).click();
  await settled('the menu');
  await page.getByRole('dialog').getByRole('link', { name: 'Home' }).click();
  await title(page, 'Home');
}

async function enter(page, username) {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').last().fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function signOut(page) {
  await page.getByRole('button', { name: /Your session/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page, '.note', 'You are signed out.');
}

async function go(page, name, heading = name) {
  await page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
  if (heading !== null) await title(page, heading);
}

async function title(page, text) {
  await page.getByRole('heading', { level: 1, name: text, exact: true }).waitFor();
}

async function choose(page, label, text) {
  await page.getByRole('combobox', { name: label }).fill(text);
  await page.getByRole('option', { name: new RegExp(text) }).click();
}

function same(got, want) {
  const clean = got.map((text) => text.trim());
  if (JSON.stringify(clean) !== JSON.stringify(want)) throw new Error(`there are the pages ${clean}, want ${want}`);
}
