// Looks at the frame of the console, in Chromium:
//   node shell.mjs URL PASSWORD
// On a slow network the mark stands there at once. Whose sign-in it is stands fixed, as the address says it, with a way to
// that of others. A session of ann, of umbrella, that is ended elsewhere leads to the
// sign-in of her tenant, and from there back to where she was. See visit.mjs for what else makes it fail.
import { expect, visit } from './visit.mjs';

const [base, password] = process.argv.slice(2);
if (!password) {
  console.error('usage: node shell.mjs URL PASSWORD');
  process.exit(2);
}

await visit(new URL(base), {}, async (page, { settled }) => {
  // Nothing but the page itself has come.
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route('**/console/assets/*', async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`${base}/console/sign-in?tenant=umbrella`, { waitUntil: 'commit' });
  const mark = page.getByRole('img', { name: 'Loading' }).locator('rect').first();
  await mark.waitFor();
  // It is painted, too: a style sheet that is waited for would keep the page blank.
  await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
  release();
  // The tenant is given, so nothing is said of leaving it out; the focus is in a field, and around nothing else.
  await page.getByLabel('Username').waitFor();
  if ((await page.locator('.gate').innerText()).includes('Leave it empty')) throw new Error('a tenant that is given may be left out');
  const ringed = await page.evaluate(() => [...document.querySelectorAll('.gate *')].filter((each) => getComputedStyle(each).outlineStyle !== 'none').map(({ tagName }) => tagName));
  if (ringed.join() !== 'INPUT') throw new Error(`the focus is around ${ringed}`);
  await settled('the sign-in of a tenant');
  if (await page.getByRole('textbox', { name: 'Tenant' }).count()) throw new Error('a tenant that is given looks as if it could be changed');
  await expect(page, '.invited', 'umbrella');
  await page.getByLabel('Username').fill('other|ann');
  await expect(page, '.wrong', 'You sign in to umbrella here');
  await page.getByRole('link', { name: 'Another tenant' }).click();
  const tenant = page.getByRole('textbox', { name: 'Tenant' });
  await tenant.fill('umbrella|ann');
  await expect(page, '.wrong', 'write tenant|name as your username');
  await tenant.fill('');
  await expect(page, '.hint', 'With the tenant left empty you can also write it here: acme|alice.');
  await settled('a sign-in of no tenant');
  // Whatever the address says, it is text, and one tenant or none.
  for (const [path, fixed] of [
    ['?tenant=umbrella', 'umbrella'], ['/?tenant=umbrella', 'umbrella'], ['/sign-in?tenant=nobody', 'nobody'], ['/sign-in?tenant=12345678901234567890', '12345678901234567890'], ['/sign-in?tenant=1e5', '1e5'], ['/sign-in?tenant=null', 'null'],
    ['/sign-in?tenant=%3Cimg src=x onerror=alert(1)%3E', '<img src=x onerror=alert(1)>'], ['/sign-in?tenant=', undefined], ['/sign-in?tenant=%20', undefined], ['/sign-in?tenant=umbrella&tenant=other', undefined], ['/roles?tenant=other', undefined],
  ]) {
    await page.goto(`${base}/console${path}`);
    await page.getByLabel('Username').waitFor();
    const found = (await page.locator('.invited strong').count()) ? await page.locator('.invited strong').innerText() : undefined;
    if (found !== fixed) throw new Error(`${path} is the sign-in of ${found}, not of ${fixed}`);
  }
  await page.goto(`${base}/console?tenant=umbrella`);
  await page.waitForURL((url) => url.pathname.endsWith('/sign-in') && !url.searchParams.has('back'));
  await enter(page);
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
  await settled('home');
  if (await page.locator('.banner').count()) throw new Error('she is told to be elsewhere at home');
  // By the address of another tenant she is told whose pages these are, and led to its sign-in; her session goes on until she is in.
  await page.goto(`${base}/console?tenant=initech`);
  await expect(page, '.banner', 'The address you came by is of initech. You are signed in as ann and see umbrella.');
  await settled('home, by the address of another tenant');
  await page.getByRole('button', { name: 'Sign in at initech' }).click();
  await expect(page, '.invited', 'initech');
  await page.goto(`${base}/console`);
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();

  await page.evaluate(async (url) => {
    const authorization = `Bearer ${sessionStorage.getItem('usher.token')}`;
    await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', authorization }, body: '{"query": "mutation { logout }"}' });
  }, `${base}/graphql`);
  await page.getByRole('navigation').getByRole('link', { name: 'Users' }).click();
  await page.waitForURL((url) => url.pathname.endsWith('/sign-in'));
  const { searchParams } = new URL(page.url());
  if (searchParams.get('tenant') !== 'umbrella' || searchParams.get('back') !== '/users') throw new Error(`she is led to ${page.url()}`);
  await expect(page, '.note', 'The server no longer accepts your token. Sign in again');
  await enter(page);
  await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
});

async function enter(page) {
  await page.getByLabel('Username').fill('ann');
  await page.getByLabel('Password').last().fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
