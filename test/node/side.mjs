// Has two tenants side by side in one page, in Chromium:
//   node side.mjs URL USHER KEY TENANT NUMBERS TENANT NUMBERS
// The page at URL loads embed.js of USHER, whose dashboard "portal" is shown twice, with tokens that KEY makes. NUMBERS are
// what each tenant's cards say, as JSON. Tokens are replaced before they end and when they are revoked; when no other is
// handed out, that element shows nothing any more, and the one beside it goes on.
import { launch } from './browser.mjs';

const patience = 30_000; // milliseconds for each step

const [address, usher, key, left, leftNumbers, right, rightNumbers] = process.argv.slice(2);
if (!rightNumbers) {
  console.error('usage: node side.mjs URL USHER KEY TENANT NUMBERS TENANT NUMBERS');
  process.exit(2);
}
const wanted = { [left]: JSON.parse(leftNumbers).join('|'), [right]: JSON.parse(rightNumbers).join('|') };

const made = { [left]: [], [right]: [] };
const ended = new Set();

async function ask(token, query, variables) {
  const response = await fetch(new URL('graphql', usher), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(`${query}: ${errors[0].message}`);
  return data;
}

// The backend of an application: a token of few seconds for whoever is signed in there.
async function issue(route) {
  const tenant = new URL(route.request().url()).pathname.split('/').pop();
  if (ended.has(tenant)) return route.fulfill({ status: 401, body: 'sign in first' });
  const input = { tenant, subject: 'side', dashboards: ['portal'], expiresAt: new Date(Date.now() + 12_000).toISOString() };
  const { createToken } = await ask(key, 'mutation($input: NewToken!) { createToken(input: $input) { token expiresAt } }', { input });
  made[tenant].push(createToken.token);
  return route.fulfill({ json: createToken });
}

const browser = await launch(new URL(address).hostname);
try {
  const page = await browser.newPage({ locale: 'en-US', viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(patience);
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.addInitScript(() => document.addEventListener('securitypolicyviolation', (event) => (globalThis.breach = `${event.violatedDirective} ${event.blockedURI}`)));
  await page.route('**/token-of/*', issue);
  await page.goto(address);
  await page.evaluate(async (tenants) => {
    await customElements.whenDefined('usher-dashboard');
    for (const tenant of tenants) {
      const element = document.createElement('usher-dashboard');
      Object.assign(element, { id: tenant, name: 'portal', tokenUrl: `/token-of/${tenant}` });
      document.body.append(element);
    }
  }, [left, right]);
  const shows = async (tenant, when) => {
    const cards = page.locator(`#${tenant} usher-number .value`);
    await cards.first().waitFor();
    const shown = (await cards.allTextContents()).join('|');
    if (shown !== wanted[tenant]) problems.push(`${when}, ${tenant} sees ${shown}, not ${wanted[tenant]}`);
  };
  const refreshed = (tenant) =>
    page.evaluate((tenant) => {
      const element = document.getElementById(tenant);
      return new Promise((resolve) => {
        for (const name of ['usher:load', 'usher:error']) element.addEventListener(name, () => resolve(name), { once: true });
        element.refresh();
      });
    }, tenant);
  for (const tenant of [left, right]) await shows(tenant, 'at first');

  // A third of its life before it ends, another one is asked for.
  await page.waitForTimeout(9000);
  for (const tenant of [left, right]) {
    await refreshed(tenant);
    await shows(tenant, 'with another token');
    if (made[tenant].length !== 2) problems.push(`${made[tenant].length} tokens were made for ${tenant}`);
  }
  // One that was revoked is replaced, as long as there is another.
  await ask(made[left].at(-1), 'mutation { logout }');
  await refreshed(left);
  await shows(left, 'when its token was revoked');
  if (made[left].length !== 3) problems.push(`${made[left].length} tokens were made for ${left}`);
  // Its holder has signed out.
  ended.add(left);
  await ask(made[left].at(-1), 'mutation { logout }');
  await refreshed(left);
  await page.locator(`#${left}`).getByRole('alert').filter({ hasText: 'Access has ended' }).waitFor();
  if (await page.locator(`#${left} usher-number`).count()) problems.push('numbers are left after access has ended');
  await refreshed(right);
  await shows(right, 'when the other has ended');
  const breach = await page.evaluate(() => globalThis.breach);
  if (breach) problems.push(`the page's policy was breached: ${breach}`);
  if (problems.length > 0) throw new Error(problems.join('\n'));
} finally {
  await browser.close();
}
