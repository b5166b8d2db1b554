// Administers ten thousand tenants with nothing but a keyboard, in Chromium:
//   node many.mjs URL PASSWORD
// The main path of each page of administration, where names are full of markup, there
// are five hundred datasets, a source is broken and the session ends on the way. Every
// page is judged at four widths, light and dark. See visit.mjs for what makes it fail.
import { expect, visit } from './visit.mjs';

const [base, password] = process.argv.slice(2);
if (!password) {
  console.error('usage: node many.mjs URL PASSWORD');
  process.exit(2);
}
const address = new URL(base);
const name = (n) => `<b>Tenant</b> ${n} <img src=x onerror=alert(1)>`;

await visit(address, {}, async (page, { settled }) => {
  const keys = page.keyboard;

  // tab goes on until what has the focus is called so.
  async function tab(what, back = false) {
    for (let n = 0; n < 200; n++) {
      const called = await page.evaluate(() => {
        const at = document.activeElement;
        const words = (ids) => (ids ?? '').split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ').trim();
        return at?.getAttribute('aria-label') || words(at?.getAttribute('aria-labelledby')) || at?.labels?.[0]?.textContent || at?.textContent || '';
      });
      if (typeof what === 'string' ? called.trim() === what : what.test(called)) return;
      await keys.press(back ? 'Shift+Tab' : 'Tab');
    }
    throw new Error(`the keyboard does not reach ${what}`);
  }
  const press = async (what, back) => {
    await tab(what, back);
    await keys.press('Enter');
  };
  const type = async (what, text) => {
    await tab(what);
    await keys.press('Control+A');
    await keys.insertText(text);
  };
  const title = (text) => page.getByRole('heading', { level: 1, name: text, exact: true }).waitFor();
  const go = async (link, heading = link) => {
    await page.evaluate(() => document.activeElement?.blur());
    await press(link);
    await title(heading);
  };
  // choose takes what the keyboard leads to in a menu.
  async function choose(what) {
    for (let n = 0; n < 60; n++) {
      const at = await page.evaluate(() => {
        const active = document.activeElement;
        return (document.getElementById(active?.getAttribute('aria-activedescendant') ?? '') ?? active)?.textContent ?? '';
      });
      if (what.test(at) && at.length < 200) return keys.press('Enter');
      await keys.press('ArrowDown');
    }
    throw new Error(`no item of the menu is ${what}`);
  }
  async function judged(what) {
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      for (const width of [390, 800, 1280, 1920]) {
        await page.setViewportSize({ width, height: 900 });
        await settled(`${what}, ${width} wide and ${scheme}`);
      }
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 800 });
  }
  async function enter() {
    await type('Username', 'olga');
    await type('Password', password);
    await keys.press('Enter');
  }

  await page.emulateMedia({ reducedMotion: 'reduce' }); // a color half way between two schemes is none of either
  await page.goto(`${base}/console/tenants`);
  await page.getByLabel('Username').waitFor();
  await enter();
  await title('Tenants');
  await page.getByRole('link', { name: name(1), exact: true }).waitFor();
  await judged('tenants');
  await press('Show more');
  await page.waitForFunction(() => document.querySelectorAll('.table tbody tr').length === 100);
  await page.evaluate(() => document.activeElement?.blur());
  await type('Search by id, name or external id', 't4711');
  await page.waitForFunction(() => document.querySelectorAll('.table tbody tr').length === 1);
  await press(name(4711));
  await title(name(4711));
  await judged('a tenant');

  await press('Test the accounts');
  await expect(page, '.note.bad', /warehouse/);
  await expect(page, '.note.bad', /and \d+ more/);
  await settled('a broken source');
  await press('Edit: External ids', true);
  await keys.insertText('org_4711');
  await press('Save');
  await expect(page, '.facts-table', 'org_4711');
  await press('Edit: Strategy');
  await press('Add a dataset');
  await type(/^Dataset 1/, '</i> 499'); // by its label: a name that is typed whole is chosen already
  await page.getByRole('option', { name: /^d499/ }).waitFor();
  await keys.press('ArrowDown');
  await keys.press('Enter');
  await press(/Strategy of d499/);
  await choose(/^shared/);
  await press('Save');
  await expect(page, '.facts-table', 'd499: shared');
  await page.evaluate(() => document.activeElement?.blur());
  await press(`Actions: ${name(4711)}`);
  await choose(/^Suspend$/);
  await press('Suspend');
  await expect(page, '.badge.warn', 'suspended');
  await page.evaluate(() => document.activeElement?.blur());
  await press('Tenants'); // back, where the list is as it was left
  await page.waitForFunction(() => document.querySelectorAll('.table tbody tr').length >= 1);

  // What is noted of hundreds of datasets is said of the first few.
  await page.goto(`${base}/console/`);
  await expect(page, '.note.kind', /and 4\d\d more like this/);
  const high = await page.evaluate(() => document.documentElement.scrollHeight);
  if (high > 3000) throw new Error(`Home is ${high} pixels high`);
  await settled('home with many notes');
  await press(/^and 4\d\d more like this$/);
  await expect(page, '.note.kind li', 'd498');
  await settled('home with all notes');

  // What the configuration file registers is shown, and why nothing of it is changed.
  await page.goto(`${base}/console/tenants?kind=file`);
  await page.getByRole('link', { name: /^Filed/ }).waitFor();
  await press(/^Filed/);
  await expect(page, '.note', 'The configuration file registers this tenant.');
  if (await page.getByRole('button', { name: /^(Edit|Set|Remove):/ }).count()) throw new Error('what the file fixes is offered to be changed');
  await judged('a tenant of the file');

  await go('Users');
  await type('Search by name, e-mail or tenant', 'user4711');
  await page.waitForFunction(() => document.querySelectorAll('.table tbody tr').length === 1);
  await judged('users');
  await press(/User 4711/);
  await press('Edit: Name');
  await type('Name', name('of a user'));
  await press('Save');
  await title(name('of a user'));
  await judged('a user');

  // The session ends elsewhere: whoever signs in again is back where they were.
  await page.evaluate(() =>
    fetch(new URL('../graphql', document.baseURI), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${sessionStorage.getItem('usher.token')}` },
      body: JSON.stringify({ query: 'mutation { logout }' }),
    }),
  );
  await page.evaluate(() => document.activeElement?.blur());
  await press('Users');
  await expect(page, '.note', 'The server no longer accepts your token');
  await settled('a session that has ended');
  await page.evaluate(() => document.activeElement?.blur());
  await enter();
  await title('Users');

  await go('Roles');
  await tab(/Roles of/);
  await keys.press('Enter');
  await choose(/file/);
  await press('viewer');
  await title('viewer');
  await expect(page, '.note', 'The configuration file has this role.');
  await judged('a role of the file');

  await go('Tokens');
  await press('Mint a token');
  const tenant = async () => {
    await tab(/^Tenant/);
    await keys.insertText('t4712');
    await page.getByRole('option', { name: /^t4712/ }).waitFor();
    await keys.press('ArrowDown');
    await keys.press('Enter');
  };
  await tenant();
  await type('For', 'portal');
  await type(/^Roles/, 'viewer');
  await keys.press('Enter'); // the name, not the form
  await expect(page, '.chosen', 'viewer');
  await press('Mint a token');
  await expect(page, '.secret', 'usher_et_');
  await press('Done');
  await page.getByRole('link', { name: 'portal' }).waitFor();
  await judged('tokens');
  await press('portal');
  await press('Revoke');
  await press('Revoke');
  await expect(page, '.toasts', '1 token has ended.');
  await judged('a token');

  await go('Keys', 'Service keys');
  await press('Make a key');
  await type('Name', name('of a key'));
  await tenant();
  await keys.press('Tab');
  await press('Make a key');
  await expect(page, '.secret', 'usher_sk_');
  await press('Done');
  await press(name('of a key'));
  await judged('a key');

  await go('Audit');
  await type('Operation', 'setUserProfile');
  await expect(page, '.table', 'user4711');
  await judged('the audit log');
});
