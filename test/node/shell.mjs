// Looks at the frame of the console, in Chromium:
//   node shell.mjs URL PASSWORD
// On a slow network the mark stands there at once. Whose sign-in it is stands fixed, as the address says it, with a way to
// that of others. A session of ann, of umbrella, that is ended elsewhere leads to the
// sign-in of her tenant, and from there back to where she was. Then she and rita, of umbrella too, take turns in one tab;
// who signs out in one has signed out in all of theirs. See visit.mjs for what else makes it fail.
import { expect, visit, write } from './visit.mjs';

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
    ['/sign-in?tenant=%3Cimg src=x onerror=alert(1)%3E', '<img src=x onerror=alert(1)>'], ['/sign-in?tenant=', undefined], ['/sign-in?tenant=%20', undefined], ['/sign-in?tenant=umbrella&tenant=other', undefined], ['/roles?tenant=other', undefined], ['/catalog?tenant=Other', 'other'],
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
  for (const [path, told] of [['catalog?tenant=initech', true], ['query?tenant=initech', true], ['dashboards?tenant=Initech', true], ['users?tenant=initech', false], ['catalog?tenant=UMBRELLA', false], ['?tenant=initech', true]]) {
    await page.goto(`${base}/console/${path}`);
    await page.locator('h1').first().waitFor();
    if ((await page.locator('.banner').count()) !== (told ? 1 : 0)) throw new Error(`at ${path} she is ${told ? 'not ' : ''}told to be elsewhere`);
  }
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
  await passing(page, settled);
});

// passing has ann and rita, of umbrella too, take turns in one tab: what one asks is nothing that the other finds.
async function passing(page, settled) {
  const mine = 'query Hers($text: String!) { notes(where: {text: {eq: $text}}) { id } }';
  const kept = () => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  const viewer = (token) =>
    page.evaluate(
      ([url, token]) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: '{"query": "{ viewer { subject } }"}' }).then(({ status }) => status),
      [`${base}/graphql`, token],
    );
  const query = async () => {
    await page.getByRole('navigation').getByRole('link', { name: 'Query' }).click();
    await page.getByRole('heading', { level: 1, name: 'Query' }).waitFor();
    await page.getByRole('textbox', { name: 'Operation' }).waitFor();
  };
  const past = async () => {
    await page.getByRole('button', { name: 'History' }).click();
    const found = await page.getByRole('dialog').innerText();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    return found;
  };
  const ask = async () => {
    await query();
    await write(page, 'Operation', mine);
    await write(page, 'Variables, as JSON', '{"text": "of ann alone"}');
    await page.getByRole('button', { name: 'Run' }).click();
    await expect(page, '.answer .cm-content', '"notes"');
  };
  const nothing = async (who) => {
    await query();
    const shown = (await page.locator('.query-page').innerText()) + (await past());
    if (/Hers|of ann alone/.test(shown)) throw new Error(`${who} finds what ann has asked:\n${shown}`);
    if (!shown.includes('Nothing')) throw new Error(`${who} has a history:\n${shown}`);
  };
  const over = async (name) => {
    await page.getByRole('button', { name: /Your session/ }).click();
    await page.getByRole('menuitem', { name: 'Use another token' }).click();
    await page.waitForURL((url) => url.pathname.endsWith('/sign-in'));
    await enter(page, `umbrella|${name}`);
    await page.getByRole('button', { name: /Your session/ }).filter({ hasText: name }).waitFor();
  };

  // What an earlier console kept for nobody in particular goes.
  await page.evaluate(() => {
    localStorage.setItem('usher.query.history', JSON.stringify([{ query: '{ hers }', variables: '{"text": "of ann alone"}', at: '2026-01-01T00:00:00Z' }]));
    localStorage.setItem('usher.query.tabs', JSON.stringify({ tabs: [{ id: 'a', query: '{ hers }', variables: '{"text": "of ann alone"}' }], active: 'a' }));
  });
  await page.reload();
  await nothing('ann');
  if ((await kept()).includes('of ann alone')) throw new Error('what was nobody\'s is kept');

  // Another signs in over her session, which ends; when she is back, so is what she asked.
  await ask();
  if ((await kept()).replaceAll(/usher_st_\w+/g, '').includes('ann"')) throw new Error('what is kept of queries names whose they are');
  const hers = await page.evaluate(() => sessionStorage.getItem('usher.token'));
  if ((await viewer(hers)) !== 200) throw new Error('her session has ended before another has begun');
  await over('rita');
  await nothing('rita');
  await settled('the queries of who has asked nothing');
  for (let tries = 0; (await viewer(hers)) !== 401; tries++) {
    if (tries === 50) throw new Error('the session that another took the place of goes on');
    await page.waitForTimeout(100);
  }
  await over('ann');
  await query();
  await expect(page, '.query-tabs', 'Hers');
  if (!(await past()).includes('Hers')) throw new Error('she has lost what she asked');

  // After five others nothing is left of who was here first.
  await page.evaluate(() => {
    for (let n = 1; n <= 5; n++) localStorage.setItem(`usher.query ${n}`, JSON.stringify({ tabs: [], active: '', history: [], at: n }));
  });
  await page.reload();
  await page.getByRole('textbox', { name: 'Operation' }).waitFor();
  const owners = await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('usher.query')));
  if (owners.length !== 5 || owners.includes('usher.query 1')) throw new Error(`queries of ${owners} are kept`);

  // She has a second tab, with a question under way that another tab's signing out does not wait for, and rita one of her own.
  const tabOf = async (name) => {
    const tab = await page.context().newPage();
    await tab.goto(`${base}/console/sign-in?tenant=umbrella&back=/query`);
    await enter(tab, name);
    await tab.getByRole('textbox', { name: 'Operation' }).waitFor();
    return tab;
  };
  const ritas = await tabOf('rita');
  await write(ritas, 'Operation', 'query Ritas { notes { id } }');
  const second = await tabOf('ann');
  await write(second, 'Operation', mine);
  await write(second, 'Variables, as JSON', '{"text": "of ann alone"}');
  let answer;
  await second.route('**/graphql', async (route) => {
    if (route.request().postData().includes('Hers')) await new Promise((resolve) => (answer = resolve));
    await route.continue();
  });
  await second.getByRole('button', { name: 'Run' }).click();
  await second.getByRole('button', { name: 'Stop' }).waitFor();
  const seconds = await second.evaluate(() => sessionStorage.getItem('usher.token'));

  // Signing out leaves nothing of hers.
  await page.getByRole('button', { name: /Your session/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out', exact: true }).click();
  await expect(page, '.note', 'You are signed out.');
  await expect(second, '.note', 'You are signed out.');
  const answered = second.waitForResponse((response) => response.request().postData()?.includes('Hers'));
  answer();
  await answered;
  for (let tries = 0; (await viewer(seconds)) !== 401; tries++) {
    if (tries === 50) throw new Error('the session of her other tab goes on');
    await page.waitForTimeout(100);
  }
  if (/Hers|of ann alone/.test(await kept())) throw new Error('her queries are kept after she has signed out');
  if (!(await kept()).includes('Ritas')) throw new Error('who has not signed out has lost what she asked');
  await enter(second, 'umbrella|rita');
  await second.getByRole('navigation').getByRole('link', { name: 'Query' }).click();
  await expect(second, '.query-tabs', 'Ritas');
  if (/Hers|of ann alone/.test((await second.locator('.query-page').innerText()) + (await second.evaluate(() => JSON.stringify({ ...sessionStorage }))))) throw new Error('rita finds what ann had in her other tab');
  if ((await ritas.locator('.query-page').count()) !== 1) throw new Error('who has not signed out is sent away');
  for (const tab of [second, ritas]) await tab.close();
}

async function enter(page, name = 'ann') {
  await page.getByLabel('Username').fill(name);
  await page.getByLabel('Password').last().fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
