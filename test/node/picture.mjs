// Takes the README's pictures of the console, of a running `usher demo`:
//   node test/node/picture.mjs http://127.0.0.1:8080 docs
// writes console.png and console-dark.png into the folder: the dashboard Sales as who operates the chain sees it.
import { join } from 'node:path';
import { launch } from './browser.mjs';

const [base, folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node picture.mjs URL FOLDER');
  process.exit(2);
}
const browser = await launch(new URL(base).hostname);
try {
  for (const [scheme, name] of [['light', 'console.png'], ['dark', 'console-dark.png']]) {
    const page = await browser.newPage({ colorScheme: scheme, viewport: { width: 1280, height: 970 }, deviceScaleFactor: 1.5, locale: 'en-US', reducedMotion: 'reduce' });
    await page.goto(`${base}/console/sign-in`);
    await page.locator('li, tr, div').filter({ hasText: /^Olga/ }).last().getByRole('button', { name: /Sign in/ }).click();
    await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
    await page.goto(`${base}/console/dashboards/sales`);
    await page.locator('usher-plot svg path').first().waitFor({ state: 'attached' });
    await page.waitForLoadState('networkidle');
    await page.waitForTimeout(500); // for what is drawn last
    await page.screenshot({ path: join(folder, name) });
    await page.close();
  }
} finally {
  await browser.close();
}
