// Uses the page of examples/embed as a person does, in Chromium:
//   node embed.mjs URL WHO NUMBER...
// Signs in with the button that names WHO, and waits until the dashboard has its
// numbers. Fails when the cards have others, when the page reports an error or
// breaks its policy, when the token is anywhere that outlives the page, and when
// numbers are left after access has ended.
import { launch } from './browser.mjs';

const patience = 30_000; // milliseconds for each step

const [address, who, ...numbers] = process.argv.slice(2);
if (!address || !who || numbers.length === 0) {
  console.error('usage: node embed.mjs URL WHO NUMBER...');
  process.exit(2);
}

let usher; // the host, which is not the page's
const browser = await launch(new URL(address).hostname);
try {
  const page = await browser.newPage({ locale: 'en-US' });
  page.setDefaultTimeout(patience);
  const problems = [];
  let token;
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('response', async (response) => {
    if (response.url().endsWith('/token') && response.ok()) token = (await response.json()).token;
    if (response.url().includes('/dashboards/')) usher = new URL(response.url()).origin;
  });
  await page.addInitScript(() => {
    globalThis.breaches = [];
    document.addEventListener('securitypolicyviolation', (event) => globalThis.breaches.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  await page.goto(address);
  await page.getByRole('button', { name: who }).click();
  await page.locator('usher-number, #problem:not(:empty), [role=alert] strong').first().waitFor();
  await page.locator('usher-plot svg path').first().waitFor({ state: 'attached' });
  problems.push(...(await page.locator('#problem:not(:empty), .state.bad').allTextContents()));
  const shown = await page.locator('usher-number .value').allTextContents();
  if (shown.join('|') !== numbers.join('|')) problems.push(`the cards have ${JSON.stringify(shown)}`);
  if (usher === new URL(address).origin) problems.push('the page is of the origin of usher');
  const kept = await page.evaluate(
    () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]) + document.body.outerHTML,
  );
  if (kept.includes('usher_et_')) problems.push('the page keeps the token');
  problems.push(...(await page.evaluate(() => globalThis.breaches)));

  // The token is revoked and its holder has signed out, while the dashboard is open.
  const ended = await fetch(`${usher}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: '{"query": "mutation { logout }"}',
  });
  if (!ended.ok || (await ended.json()).errors) problems.push(`the token was not revoked: ${ended.status}`);
  await page.context().clearCookies();
  await page.evaluate(() => document.querySelector('usher-dashboard').refresh());
  await page.getByRole('alert').filter({ hasText: 'Access has ended' }).waitFor();
  if (await page.locator('usher-number').count()) problems.push('numbers are left after access has ended');
  if (problems.length > 0) throw new Error(problems.join('\n'));
  console.log(`the page shows ${shown.length} numbers`);
} finally {
  await browser.close();
}
