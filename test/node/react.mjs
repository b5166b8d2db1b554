// Has @usher/react in a page made with React, in Chromium:
//   node react.mjs USHER TOKEN OTHER
// The page stands at an address of its own and is bundled here. The dashboards sold and more of USHER are shown as the
// tokens' holders see them: props are properties and may change, events reach handlers, and a dashboard that is taken away
// and comes back is asked for again, all of it in React's strict mode, which does everything twice.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { launch } from './browser.mjs';

const [usher, token, other] = process.argv.slice(2);
if (!other) {
  console.error('usage: node react.mjs USHER TOKEN OTHER');
  process.exit(2);
}
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const packages = '../../console/web/packages';

const page = `
import { StrictMode, useState, useCallback } from 'react';
import { createRoot } from 'react-dom/client';
import { UsherDashboard } from '@usher/react';

const tokens = ${JSON.stringify({ token, other })};
globalThis.told = [];

function Page() {
  const [name, setName] = useState('sold');
  const [who, setWho] = useState('token');
  const [shown, setShown] = useState(true);
  const source = useCallback(() => tokens[who], [who]);
  return (
    <>
      <button onClick={() => setName('more')}>More</button>
      <button onClick={() => setWho('other')}>Other</button>
      <button onClick={() => setName('none')}>None</button>
      <button onClick={() => setShown(!shown)}>Toggle</button>
      {shown && (
        <UsherDashboard name={name} server={${JSON.stringify(usher)}} token={source} locale="en-US" className="board"
          onLoad={() => told.push('load')} onError={(event) => told.push('error ' + event.detail.error.code)} />
      )}
    </>
  );
}
createRoot(document.getElementById('root')).render(<StrictMode><Page /></StrictMode>);
`;

const { outputFiles } = await build({
  stdin: { contents: page, loader: 'jsx', resolveDir: here('.') },
  jsx: 'automatic',
  bundle: true,
  write: false,
  splitting: true, // what is loaded for charts alone is apart
  outdir: '/',
  entryNames: 'page',
  format: 'esm',
  target: ['es2022'],
  // The packages' own copies, where they are installed, would be a second React.
  alias: { ...Object.fromEntries(['react', 'react-dom', '@lit/react', 'lit'].map((name) => [name, here(`node_modules/${name}`)])), '@usher/react': here(`${packages}/react/src/index.ts`), '@usher/embed': here(`${packages}/embed/src/index.ts`), '@usher/client': here(`${packages}/client/src/index.ts`) },
  external: ['echarts/*', 'lossless-json'], // which draw charts, and read numbers in browsers of before
  plugins: [
    {
      name: 'css',
      setup: (of) => of.onLoad({ filter: /\.css$/ }, async ({ path }) => ({ contents: (await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true })).code, loader: 'text' })),
    },
  ],
  logLevel: 'error',
});
const scripts = new Map(outputFiles.map(({ path, text }) => [path, text]));

const server = createServer((request, response) => {
  const [type, text] = scripts.has(request.url) ? ['text/javascript', scripts.get(request.url)] : ['text/html', '<!doctype html><title>React</title><div id="root"></div><script type="module" src="/page.js"></script>'];
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': `default-src 'none'; script-src 'self'; connect-src ${new URL(usher).origin}; img-src 'self' data:` }).end(text);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await launch('127.0.0.1');
const problems = [];
try {
  const tab = await browser.newPage();
  tab.setDefaultTimeout(30_000);
  tab.on('pageerror', (error) => problems.push(error.message));
  tab.on('console', (message) => message.type() === 'error' && !/ 404 /.test(message.text()) && problems.push(message.text()));
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  const shows = (text) => tab.locator('usher-dashboard.board usher-number .value', { hasText: text }).first().waitFor();
  const press = (name) => tab.getByRole('button', { name, exact: true }).click();
  await shows(/^35$/);
  if (!(await tab.evaluate(() => told.includes('load')))) problems.push('onLoad is not called');
  await press('More'); // another property
  await shows(/^70$/);
  await press('Other'); // another holder: nothing of the one before is left
  await shows(/^14$/);
  await press('Toggle');
  await tab.locator('usher-dashboard').waitFor({ state: 'detached' });
  await press('Toggle');
  await shows(/^14$/);
  await press('None');
  await tab.waitForFunction(() => told.includes('error NOT_FOUND'));
  if ((await tab.locator('usher-dashboard').count()) !== 1) problems.push('it is there twice');
  if (problems.length > 0) throw new Error(problems.join('\n'));
} catch (error) {
  throw new Error(`${error.message}\n${problems.join('\n')}`);
} finally {
  await browser.close();
  server.close();
}
