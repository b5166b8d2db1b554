// Uses the console as three kinds of people do, in Chromium:
//   node administer.mjs operator|administrator|reader URL PASSWORD
// The operator, olga, administers all tenants: registers one, umbrella, with a user,
// a role and a token, acts as it, and reads of it in the audit log. The
// administrator, ann of umbrella, sees her own tenant only. The reader, rita of
// umbrella, sees data, and is led back to where she was when her session has ended.
// See visit.mjs for what else makes it fail.
import { expect, visit, write } from './visit.mjs';

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
  await record(page, settled);

  await page.locator('.stack').getByRole('link', { name: 'Users' }).click();
  await title(page, 'Users');
  for (const [username, scopes] of [['ann', ['Administer', 'Mint tokens']], ['rita', []]]) {
    await page.getByRole('button', { name: 'Add a user' }).first().click();
    const adds = page.getByRole('dialog').getByRole('button', { name: 'Add a user' });
    await page.getByLabel('Username').fill(username.toUpperCase());
    await expect(page, '.dialog footer', 'A password of 12 characters is missing.');
    if (await adds.isEnabled()) throw new Error('a user is made without a password');
    await page.getByLabel('Password').fill(password);
    await page.getByLabel('Name', { exact: true }).fill(`${username} ${markup}`);
    for (const scope of scopes) await page.locator('.check', { hasText: scope }).click();
    if (scopes.length) await settled('adding a user');
    await page.getByRole('dialog').getByRole('button', { name: 'Add a user' }).click();
    await expect(page, '.table', `${username} ${markup}`);
    await expect(page, '.toasts', `umbrella|${username} may sign in.`); // as it is kept
    await nothingUnsaved(page, 'a user is added');
  }
  await settled('users');
  await person(page, settled);

  await go(page, 'Roles');
  await expect(page, '.card', 'Choose a tenant');
  await page.getByPlaceholder('Choose a tenant').waitFor();
  await choose(page, 'Tenant', 'umbrella');
  await page.getByRole('button', { name: 'Make a role' }).first().click();
  await page.getByLabel('Name', { exact: true }).fill('few');
  await write(page, 'What it says', '{"datasets": {"notes": {"columns": ["id"]}}}');
  await settled('making a role');
  await page.getByRole('button', { name: 'Save' }).click();
  await title(page, 'few');
  await go(page, 'Roles');
  await choose(page, 'Tenant', 'umbrella');
  await expect(page, '.table', 'few');
  await settled('roles');
  await page.getByRole('link', { name: 'few' }).click();
  await expect(page, '.sheet', '"columns"');
  await settled('a role');

  await go(page, 'Tokens');
  await page.getByRole('button', { name: 'Mint a token' }).first().click();
  const mint = page.getByRole('dialog');
  await mint.getByLabel('For').fill('portal');
  const mints = mint.getByRole('button', { name: 'Mint a token' });
  if (await mints.isEnabled()) throw new Error('a token of all tenants is minted by who chose none');
  await mint.getByRole('combobox', { name: 'Tenant' }).fill('All');
  await page.getByRole('option', { name: 'All tenants' }).click();
  await mint.locator('button:enabled', { hasText: 'Mint a token' }).waitFor();
  await mint.getByRole('combobox', { name: 'Tenant' }).fill('');
  await mint.getByLabel('For').click(); // what is emptied is chosen no more
  await mint.locator('button:disabled', { hasText: 'Mint a token' }).waitFor();
  await mint.getByRole('combobox', { name: 'Tenant' }).fill('umb');
  await page.getByRole('option', { name: /umbrella/ }).click();
  await page.getByRole('listbox').waitFor({ state: 'hidden' });
  await mint.getByLabel('Filters').fill('{"nots": {"text": {"eq": "hello"}}}');
  await expect(page, '.dialog .wrong', 'You see no dataset nots.');
  await mint.getByLabel('Filters').fill('{"notes": 1}');
  await expect(page, '.dialog .wrong', 'Write conditions of notes');
  await mint.getByText('More', { exact: true }).click();
  await mint.getByLabel('Time zone').fill('Europe/Wien');
  await expect(page, '.dialog .wrong', 'There is no such time zone.');
  await mint.getByLabel('Time zone').fill('Europe/Vienna');
  await mint.getByText('Limits of a minute', { exact: true }).click();
  await mint.getByLabel('Requests a minute').fill('0');
  await expect(page, '.dialog .wrong', 'Write a whole number, at least 1.');
  await mint.getByLabel('Requests a minute').fill('60');
  await mint.getByLabel('Database time a minute').fill('30');
  await expect(page, '.dialog .wrong', 'Write a time with its unit');
  await mint.getByLabel('Database time a minute').fill('1.5s');
  await mint.getByLabel('Rows a minute').fill('2000000');
  await expect(page, '.dialog .hint', 'No token has more than 1,000,000, so this changes nothing.');
  await mint.getByLabel('Rows a minute').fill('');
  await mint.getByLabel('Ends unused after minutes').fill('10');
  await mint.getByLabel('Filters').fill('{"notes": ');
  await expect(page, '.dialog .wrong', 'This is no JSON object.');
  await mint.getByLabel('Filters').fill('{"notes": {"text": {"eq": "hello"}}}');
  await mint.getByRole('combobox', { name: 'Roles' }).fill('nope');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab'); // closes the list of what is known
  await expect(page, '.dialog .wrong', 'No role is called nope.');
  await mint.getByRole('button', { name: 'What would it see?' }).click();
  await mint.getByRole('button', { name: 'What would it see?', disabled: false }).waitFor();
  await expect(page, '.dialog .names .wrong', 'No role is called nope.');
  if (await page.locator('.dialog .note.bad').count()) throw new Error('a refused role is told beside its field and elsewhere');
  await settled('a refused role');
  await mint.getByRole('button', { name: 'Remove: nope' }).click();
  await page.waitForFunction(() => !document.querySelector('.dialog .wrong'));
  await mint.getByRole('combobox', { name: 'Roles' }).fill('few');
  await mint.getByRole('option', { name: 'few' }).or(page.getByRole('option', { name: 'few' })).first().click();
  await mint.getByRole('button', { name: 'What would it see?' }).click();
  await expect(page, '.sees', 'notes');
  const seen = await page.locator('.sees').boundingBox();
  const body = await mint.locator('.body').boundingBox();
  if (seen.y + seen.height > body.y + body.height + 1) throw new Error('what a token sees is below the fold');
  if ((await page.locator('.sees').innerText()).includes('text')) throw new Error('the role few shows the column text');
  await settled('minting');
  await mint.getByRole('button', { name: 'Mint a token' }).click();
  await expect(page, '.secret', 'usher_et_');
  await settled('a minted token');
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page, '.table', 'portal');
  await expect(page, '.table .badge', '60 requests a minute');
  await settled('tokens');
  await page.getByRole('link', { name: 'portal' }).click();
  await expect(page, '.facts-table', 'few');
  for (const limit of ['60 requests', '1500ms of database time']) await expect(page, '.facts-table .badge', limit);
  if ((await page.locator('main').innerText()).includes('hello')) throw new Error('a token tells the values of its filters');
  await settled('a token');
  await page.getByRole('main').getByRole('link', { name: 'Tokens' }).click();
  await page.getByRole('button', { name: 'Actions: portal' }).click();
  await page.getByRole('menuitem', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(page, '.toasts', '1 token has ended.');

  await go(page, 'Keys', 'Service keys');
  await page.getByRole('button', { name: 'Make a key' }).first().click();
  await page.getByLabel('Name', { exact: true }).fill('backend');
  if (await page.getByRole('dialog').getByRole('button', { name: 'Make a key' }).isEnabled()) throw new Error('a key of all tenants is made by who chose none');
  await page.getByRole('dialog').getByRole('combobox', { name: 'Tenant' }).fill('For');
  await page.getByRole('option', { name: 'For all tenants' }).click();
  await page.getByRole('listbox').waitFor({ state: 'hidden' }); // what was chosen closes the list
  if ((await page.getByRole('dialog').getByRole('combobox', { name: 'Tenant' }).inputValue()) !== 'For all tenants') throw new Error('the choice is not written');
  await page.getByRole('dialog').getByText('Limits of a minute').click();
  await page.getByLabel('Requests a minute').fill('0');
  await expect(page, '.dialog .wrong', 'Write a whole number, at least 1.');
  await page.getByLabel('Requests a minute').fill('600');
  await page.getByLabel('Bytes a minute').fill('64MiB');
  await settled('making a key');
  await page.getByRole('dialog').getByRole('button', { name: 'Make a key' }).click();
  await expect(page, '.secret', 'usher_sk_');
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page, '.table', 'backend');
  await expect(page, '.table .badge', '600 requests a minute');
  await settled('keys');
  await page.getByRole('link', { name: 'backend' }).click();
  await expect(page, '.facts-table', 'Read data');
  for (const limit of ['600 requests', '64MiB']) await expect(page, '.facts-table .badge', limit);
  await settled('a key');

  await go(page, 'Tenants');
  await page.getByRole('button', { name: `Actions: ${markup}` }).click();
  await page.getByRole('menuitem', { name: 'Act as this tenant' }).click();
  await page.getByLabel('Reason').fill('to see what they see');
  await page.getByRole('dialog').getByRole('button', { name: 'Act as this tenant' }).click();
  await expect(page, '.banner', 'You act as umbrella');
  if (await page.getByRole('link', { name: 'Users' }).count()) throw new Error('who acts administers');
  await settled('acting');
  const asks = async (name) => {
    await go(page, 'Query');
    await write(page, 'Operation', `query ${name} { notes { id } }`);
    await page.getByRole('button', { name: 'Run' }).click();
    await expect(page, '.answer .cm-content', '"notes"');
  };
  await asks('WhileActing');
  await page.getByRole('button', { name: 'Stop acting' }).click();
  await title(page, 'Tenants');
  await asks('AsHerself');
  // What she asked while she acted is hers, apart, and goes when she signs out in any of her tabs.
  const kept = () => page.evaluate(() => Object.entries({ ...localStorage }).filter(([key]) => key.startsWith('usher.query')).map(([, text]) => /WhileActing|AsHerself/.exec(text)?.[0]).sort());
  same(await kept(), ['AsHerself', 'WhileActing']);
  const other = await page.context().newPage();
  await other.goto(`${base}/console/sign-in`);
  await enter(other, 'olga');
  await title(other, 'Home');
  await signOut(other);
  await other.close();
  await expect(page, '.note', 'You are signed out.');
  same(await kept(), []);
  await enter(page, 'olga');
  await title(page, 'Home');

  await go(page, 'Audit');
  await page.getByLabel('Operation').fill('actAs');
  await expect(page, '.table', 'to see what they see');
  await expect(page, '.table time', /\d\d:\d\d:\d\d/);
  await settled('audit');
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export CSV' }).click()]);
  if (!/^audit-.*\.csv$/.test(file.suggestedFilename())) throw new Error(`the file is called ${file.suggestedFilename()}`);

  // What ends for ever asks for its name first.
  await go(page, 'Tenants');
  await page.getByRole('button', { name: 'Register a tenant' }).first().click();
  await page.getByLabel('Id', { exact: true }).fill('brief');
  await page.getByRole('dialog').getByRole('button', { name: 'Register a tenant' }).click();
  await title(page, 'brief');
  if (await page.locator('.page-head .mono').count()) throw new Error('a tenant without a name is called the same twice');
  await page.getByRole('button', { name: 'Actions: brief' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  const end = page.getByRole('dialog').getByRole('button', { name: 'Delete' });
  if (await end.isEnabled()) throw new Error('a tenant is deleted without its name');
  await page.getByLabel('Type brief to go on').fill('brief');
  await end.click();
  await expect(page, '.badge.bad', 'deleted');
  await signOut(page);
}

// record changes what of a tenant's record can be: what takes access away is said first.
// nothingUnsaved fails where what has just been saved is offered as not saved.
async function nothingUnsaved(page, when) {
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  const offers = await page.locator('main .note.restored').allInnerTexts();
  if (offers.length) throw new Error(`when ${when}: ${offers}`);
}

async function record(page, settled) {
  const dialog = page.getByRole('dialog');
  const edit = async (name) => page.getByRole('button', { name: `Edit: ${name}` }).click();
  const save = async () => dialog.getByRole('button', { name: /^Save/ }).click();
  const gone = async () => {
    await dialog.waitFor({ state: 'hidden' });
    if (await page.locator('main .note.restored').count()) throw new Error('what is saved is offered as unsaved');
  };

  await edit('External ids');
  await dialog.getByRole('textbox').fill('org_1\norg_1');
  await expect(page, '.dialog .wrong', 'org_1 stands here twice.');
  await dialog.getByRole('textbox').fill(`org_1\n${markup}`);
  await save();
  await expect(page, '.facts-table', 'org_1');
  await edit('External ids');
  await dialog.getByRole('textbox').fill('org_1');
  await save();
  await expect(page, '.dialog .note.warn', 'are refused from now on');
  await settled('taking away an external id');
  await save();
  await gone();

  await edit('Accounts may lead to');
  await dialog.locator('.check').click();
  await dialog.getByRole('textbox').fill('not a host!');
  await save(); // once to be told, once to do it
  await save();
  await expect(page, '.dialog .wrong', /host/);
  await dialog.getByRole('textbox').fill('*.db.example');
  await save(); // of the same as was told
  await expect(page, '.facts-table', '*.db.example');

  await expect(page, '.facts-table', '6,000 requests, as the configuration says');
  // What is offered to be taken up is not behind the form that it is about.
  await edit('Name');
  await dialog.getByRole('textbox').fill('Half a name');
  await page.reload();
  const offer = page.locator('main .note.restored');
  await offer.waitFor();
  await edit('Name');
  await expect(page, '.dialog .note.restored', 'here again');
  if (await offer.isVisible()) throw new Error('what is taken up is offered behind its form');
  await settled('a form that was begun before');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await offer.waitFor({ state: 'detached' });

  for (const name of ['Renamed', markup]) {
    await edit('Name');
    await dialog.getByRole('textbox').fill(name);
    await save();
    await title(page, name);
    await nothingUnsaved(page, 'a tenant is renamed');
  }

  await edit('Turns where others wait');
  await dialog.getByRole('textbox').fill('0');
  await expect(page, '.dialog .wrong', 'Write a whole number from 1 to 100.');
  await dialog.getByRole('textbox').fill('3');
  await save();
  await nothingUnsaved(page, 'turns are saved');
  await edit('In a minute');
  await dialog.getByLabel('Rows a minute').fill('-5');
  await expect(page, '.dialog .wrong', 'Write a whole number, at least 1.');
  await dialog.getByLabel('Rows a minute').fill('100,000');
  await dialog.getByLabel('Bytes a minute').fill('64MiB');
  await settled('limits of a tenant');
  await save(); // once to be told, once to do it
  await expect(page, '.dialog .note.warn', 'refused beyond this');
  await save();
  await expect(page, '.facts-table .badge', '100,000 rows');
  await expect(page, '.facts-table .badge', '64MiB');
  await expect(page, '.facts-table', '6,000 requests, as the configuration says');
  await edit('In a minute');
  await dialog.getByLabel('Rows a minute').fill('');
  await dialog.getByLabel('Bytes a minute').fill('');
  await save();
  await gone();
  if (await page.locator('.facts-table .badge', { hasText: '64MiB' }).count()) throw new Error('what was taken back holds');
  await edit('Turns where others wait');
  await dialog.getByRole('textbox').fill('');
  await save();
  await expect(page, '.facts-table', '1, as the configuration says');

  await page.getByRole('button', { name: 'Set: silo' }).click();
  await dialog.getByLabel('Port').fill('70000');
  await expect(page, '.dialog .wrong', 'A port is a number from 1 to 65535.');
  await dialog.getByLabel('Port').fill('');
  await dialog.getByLabel('Host').fill('db.elsewhere');
  await expect(page, '.dialog .wrong', 'needs its own password');
  await dialog.getByLabel('Password').fill('canary-of-tests');
  await dialog.getByLabel('User').fill('umbrella');
  await settled('an account');
  await save();
  await expect(page, '.dialog .wrong', /allow/); // beside the host
  await dialog.getByLabel('Host').fill('one.db.example');
  await save();
  await expect(page, '.rows', 'password');
  if ((await page.content()).includes('canary-of-tests')) throw new Error('the page shows a password');
  await page.getByRole('button', { name: 'Replace: silo' }).click();
  await dialog.getByLabel('Schema').fill('umbrella');
  await save();
  await expect(page, '.dialog .note.warn', 'No longer set: host, user, password');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Remove: silo' }).click();
  await dialog.getByRole('textbox').fill('silo');
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await expect(page, '.toasts', 'The account of silo is removed.');

  await edit('Bindings');
  await dialog.getByRole('button', { name: 'Add a dataset' }).click();
  await dialog.getByRole('combobox').fill('not');
  await page.getByRole('option', { name: 'notes' }).click();
  await dialog.getByRole('button', { name: /Binding of notes/ }).click();
  await page.getByRole('option', { name: /archive/ }).click();
  await settled('a binding');
  await save();
  await expect(page, '.facts-table', 'notes: archive');
  await edit('Bindings');
  await dialog.getByRole('button', { name: 'Remove: notes' }).click();
  await save();
  await save();
  await gone();

  await edit('Strategy');
  await dialog.getByRole('button', { name: 'Add a dataset' }).click();
  await dialog.getByRole('combobox').fill('tag');
  await page.getByRole('option', { name: /^tags/ }).click();
  await dialog.getByRole('button', { name: /Strategy of tags/ }).click();
  await page.getByRole('option', { name: /shared/ }).click();
  await save();
  await expect(page, '.facts-table', 'tags: shared');
  await settled('a record that was changed');
}

// person edits a user, from the list of all tenants.
async function person(page, settled) {
  await go(page, 'Users');
  await page.getByLabel('Search by name, e-mail or tenant').fill('rita');
  await page.waitForFunction(() => document.querySelectorAll('.table tbody tr').length === 1);
  await expect(page, '.table', 'umbrella|rita');
  await page.getByRole('link', { name: /rita/ }).click();
  await page.getByRole('button', { name: 'Edit: E-mail' }).click();
  await page.getByLabel('E-mail', { exact: true }).fill('rita');
  await expect(page, '.dialog .wrong', 'This is no e-mail address.');
  await page.getByLabel('E-mail', { exact: true }).fill('rita@umbrella.example');
  await page.keyboard.press('Enter');
  await expect(page, '.facts-table', 'rita@umbrella.example');
  await nothingUnsaved(page, 'an e-mail address is saved');
  const may = async (saved) => {
    await page.getByRole('button', { name: 'Edit: May' }).click();
    await page.getByRole('dialog').locator('.check', { hasText: 'Explain' }).click();
    for (const _ of saved) await page.getByRole('dialog').getByRole('button', { name: /^Save/ }).click(); // what takes something away is told first
    await nothingUnsaved(page, 'rights are saved');
  };
  await may(['given']);
  await may(['told', 'taken']);
  await page.getByRole('button', { name: 'Edit: Roles' }).click();
  await page.getByRole('combobox', { name: 'Roles' }).fill('viewer');
  await page.keyboard.press('Enter');
  await expect(page, '.chosen', 'viewer');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Actions: rita' }).click();
  await page.getByRole('menuitem', { name: 'Sign out everywhere' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(page, '.toasts', '0 tokens have ended.');
  await settled('a user');
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
  await expect(page, '.note', 'Whoever administers all tenants changes this.');
  if (await page.getByRole('button', { name: 'Edit: Strategy' }).count()) throw new Error('she changes how her data is reached');
  await expect(page, '.facts-table', '6,000 requests, as the configuration says');
  if (await page.getByRole('button', { name: 'Edit: In a minute' }).count()) throw new Error('she changes her share');
  await settled('her tenant');
  await go(page, 'Users');
  await expect(page, '.table', 'umbrella|rita');
  if (await page.getByRole('combobox', { name: 'Tenant' }).count()) throw new Error('she chooses among tenants');
  await page.getByRole('button', { name: 'Actions: rita' }).click();
  await settled('actions');
  await page.getByRole('menuitem', { name: 'Change rights' }).click();
  // Nobody gives what they have not.
  if (await page.locator('.check', { hasText: 'Export data' }).count()) throw new Error('she gives what she has not');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await go(page, 'Roles');
  await expect(page, '.table', 'few');
  await page.getByRole('button', { name: 'Make a role' }).first().click(); // of her tenant, which she does not name
  await page.getByLabel('Name', { exact: true }).fill('hers');
  await write(page, 'What it says', '{"datasets": {"notes": {}}}');
  await page.getByRole('button', { name: 'Save' }).click();
  await title(page, 'hers');
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
  await page.goto(`${base}/console/nowhere`);
  await title(page, 'There is no such page');
  await expect(page, 'h2', 'The address leads nowhere');
  // A page that she cannot fill says why, and leads on: to what she may see of it, or to the start.
  for (const [path, name] of [['users', 'Users'], ['roles/few/edit?tenant=umbrella', 'Roles'], ['new-role', 'Roles'], ['tokens/any', 'Tokens'], ['tenants/umbrella', 'Tenants'], ['keys', 'Keys'], ['audit', 'Audit']]) {
    await page.goto(`${base}/console/${path}`);
    await title(page, name);
    await expect(page, '.state', 'This is not for your token');
    await expect(page, '.state', /takes a token with the right “Administer”/);
    if (path === 'users') await settled('a page that she cannot fill');
  }
  await page.getByRole('main').getByRole('link', { name: 'Use another token' }).click();
  await page.waitForURL((url) => url.pathname.endsWith('/sign-in') && url.searchParams.get('back') === '/audit');
  await expect(page, '.note', 'You are signed in.');
  await settled('the sign-in of somebody who is in');
  await page.getByRole('link', { name: 'Go on as you are' }).click();
  await title(page, 'Audit');
  await page.getByRole('main').getByRole('link', { name: 'To the start' }).click();
  await title(page, 'Home');
  await page.goto(`${base}/console/dashboards/none/edit`);
  await expect(page, '.state', 'dashboards are changed by administrators only');
  await settled('an editor that is not hers');
  await page.getByRole('main').getByRole('link', { name: 'See the dashboard' }).click();
  await page.waitForURL((url) => url.pathname.endsWith('/dashboards/none'));

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
  await page.getByRole('menuitem', { name: 'Sign out', exact: true }).click();
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
  await page.getByRole('combobox', { name: label, exact: true }).fill(text);
  await page.getByRole('option', { name: new RegExp(text) }).click();
}

function same(got, want) {
  const clean = got.map((text) => text.trim());
  if (JSON.stringify(clean) !== JSON.stringify(want)) throw new Error(`there are the pages ${clean}, want ${want}`);
}
