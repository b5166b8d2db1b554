// Looks at the beginnings of the console, in Chromium:
//   node begin.mjs empty URL KEY
//   node begin.mjs files URL SELLER CLERK
//   node begin.mjs people URL NAME...
// An operator of an empty configuration is told the way to a first dashboard. Without a
// control store, the seller opens the dashboards that stand in files, and the clerk, whose
// role shows none of what they ask for, is not offered them. The people of a demo sign in
// with a button. See visit.mjs for what else makes it fail.
import { expect, visit } from './visit.mjs';

const [kind, base, ...given] = process.argv.slice(2);
const uses = { empty, files, people };
if (!uses[kind] || given.length === 0) {
  console.error('usage: node begin.mjs empty|files|people URL TOKEN|NAME...');
  process.exit(2);
}
const title = (page, text) => page.getByRole('heading', { level: 1, name: text, exact: true }).waitFor();

await visit(new URL(base), {}, (page, watch) => uses[kind](page, watch, ...given));

async function paste(page, token) {
  await page.goto(`${base}/console/sign-in`);
  const tab = page.getByRole('tab', { name: 'Token' });
  await tab.click();
  await page.getByRole('textbox', { name: 'Token' }).fill(token);
  await page.getByRole('button', { name: 'Use this token' }).click();
  await title(page, 'Home');
}

async function empty(page, { settled }, key) {
  await paste(page, key);
  await expect(page, '.missing', 'usher init --out');
  await settled('a configuration without datasets');
  for (const name of ['Catalog', 'Explore']) {
    await page.getByRole('navigation').getByRole('link', { name }).click();
    await title(page, name);
    await expect(page, '.state', 'Add one under datasets');
    await settled(`${name} without datasets`);
  }
  await page.getByRole('navigation').getByRole('link', { name: 'Query' }).click();
  await title(page, 'Query');
  // An empty text is no mistake yet.
  await page.locator('.operation .cm-content').waitFor();
  await page.locator('.operation .cm-content').click();
  await page.keyboard.insertText('{ nope }');
  await page.locator('.operation .cm-lintRange-error').waitFor();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.locator('.operation .cm-lintRange-error, .operation .cm-lintPoint').first().waitFor({ state: 'detached' });
}

async function files(page, { settled }, seller, clerk) {
  await paste(page, seller);
  await page.getByRole('navigation').getByRole('link', { name: 'Dashboards' }).click();
  await expect(page, '.boards', 'Sold');
  await expect(page, '.boards', 'in a file of the configuration');
  await settled('dashboards in files');
  await page.getByRole('link', { name: 'Sold' }).click();
  await expect(page, 'usher-dashboard', '35');
  await page.getByRole('button', { name: 'Share' }).waitFor();
  await settled('a dashboard in a file');
  await page.goto(`${base}/console/dashboards/none`);
  await expect(page, 'usher-dashboard', 'There is no dashboard none');
  if (await page.getByRole('button', { name: 'Share' }).count()) throw new Error('a dashboard that is not there is shared');

  await page.evaluate(() => sessionStorage.clear());
  await paste(page, clerk);
  await page.getByRole('navigation').getByRole('link', { name: 'Dashboards' }).click();
  await expect(page, '.state', 'Nothing here is for you to see');
  if (await page.locator('.boards').count()) throw new Error('a dashboard is offered that shows nothing');
  await settled('no dashboard is for the clerk');
  await page.goto(`${base}/console/dashboards/sold`);
  await expect(page, '.state', 'Nothing here is for you to see');
  if (await page.locator('usher-dashboard').count()) throw new Error('the clerk is shown a dashboard of nothing');
}

async function people(page, { settled }, ...names) {
  for (const name of names) {
    await page.goto(`${base}/console/`);
    const list = page.locator('.samples').last();
    await list.waitFor();
    if (await list.evaluate((at) => at.scrollHeight > at.clientHeight + 1)) throw new Error('the list is cut');
    await settled('the entrance of a demo');
    await page.getByRole('button', { name: `Sign in: ${name}` }).click();
    await title(page, 'Home');
    await expect(page, 'main', `Signed in as ${name.toLowerCase()}`);
    await page.evaluate(() => sessionStorage.clear());
  }
}
