// Has @usher/react in a page made with React, in Chromium:
//   node react.mjs USHER TOKEN OTHER
// The page stands at an address of its own and is bundled here. The dashboards sold and more of USHER are shown as the
// tokens' holders see them: props are properties and may change, events reach handlers, and a dashboard that is taken away
// and comes back is asked for again, all of it in React's strict mode, which does everything twice. Then they are written by a
// server, with React 18 and 19: their HTML has what attributes can say and no token, and React takes it over without a word, also where
// the page has the elements from embed.js.
import { createServer } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

const board = `
import { createElement as h } from 'react';
import { UsherChart, UsherDashboard, Client } from '@usher/react';

const server = ${JSON.stringify(usher)};
const query = '{ orders { total } }';
const look = (name) => ({ className: name, id: name, 'data-seen': 'as it is', style: { minHeight: '10px' }, server, locale: 'en-US' });
const told = (name) => ({ onLoad: () => globalThis.told.push('load ' + name), onError: (event) => globalThis.told.push(name + ' ' + event.detail.error.code) });
export const app = (token, tokenUrl) => h('main', { ref: () => void fetch('/taken') },
  h(UsherDashboard, { ...look('url'), ...told('url'), name: 'sold', tokenUrl, headless: true, theme: 'dark', timezone: undefined }),
  h(UsherDashboard, { ...look('callback'), ...told('callback'), name: 'sold', token: () => token, parameters: { kept: 'secret' }, headless: false }),
  h(UsherDashboard, { ...look('client'), ...told('client'), name: 'more', client: new Client({ server, token }) }),
  h(UsherChart, { ...look('text'), ...told('text'), query, kind: 'table', y: ['total'], variables: { kept: 'secret' }, exact: true, refresh: 600, token }));
`;

/** Bundles a program, or what a page loads, with the React that is called so. */
async function bundled(contents, { loader = 'jsx', react = 'react', dom = 'react-dom', ...options }) {
  const { outputFiles } = await build({
    stdin: { contents, loader, resolveDir: here('.') },
    jsx: 'automatic',
    bundle: true,
    write: false,
    splitting: true, // what is loaded for charts alone is apart
    outdir: '/',
    entryNames: 'page',
    format: 'esm',
    target: ['es2022'],
    // The packages' own copies, where they are installed, would be a second React.
    alias: {
      ...Object.fromEntries(Object.entries({ react, 'react-dom': dom, '@lit/react': '@lit/react', lit: 'lit' }).map(([name, folder]) => [name, here(`node_modules/${folder}`)])),
      ...Object.fromEntries(['react', 'embed', 'client'].map((name) => [`@usher/${name}`, here(`${packages}/${name}/src/index.ts`)])),
    },
    external: ['echarts/*', 'lossless-json'], // which draw charts, and read numbers in browsers of before
    plugins: [
      {
        name: 'css',
        setup: (of) => of.onLoad({ filter: /\.css$/ }, async ({ path }) => ({ contents: (await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true })).code, loader: 'text' })),
      },
    ],
    logLevel: 'error',
    ...options,
  });
  return outputFiles;
}

/** Writes the page as a server does, with everything the page loads to take it over. */
async function rendered(reacts) {
  const folder = await mkdtemp(join(tmpdir(), 'react-'));
  await bundled(`${board}\nexport { renderToString } from 'react-dom/server';\nexport { version } from 'react';`, {
    ...reacts, platform: 'node', write: true, outdir: folder, outExtension: { '.js': '.mjs' },
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire('/');" },
  });
  const { app, renderToString, version } = await import(join(folder, 'page.mjs'));
  await rm(folder, { recursive: true });
  const takes = `${board}
import { hydrateRoot } from 'react-dom/client';
globalThis.told = [];
hydrateRoot(document.getElementById('root'), app(${JSON.stringify(token)}, '/token'), { onRecoverableError: (error) => console.error(error) });`;
  return { version, html: renderToString(app(token, '/token')), scripts: await bundled(takes, reacts) };
}

const scripts = new Map((await bundled(page, {})).map(({ path, text }) => [path, text]));
let html = '<div id="root"></div>';

// Nothing is answered before React has taken the page over: it would be told to nobody.
let taken, taking;
const server = createServer(async (request, response) => {
  if (request.url === '/taken') {
    taken();
    return response.end();
  }
  if (request.url === '/token') {
    await taking;
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token }));
  }
  const [type, text] = scripts.has(request.url) ? ['text/javascript', scripts.get(request.url)] : ['text/html', `<!doctype html><title>React</title>${html}<script type="module" src="/page.js"></script>`];
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': `default-src 'none'; script-src 'self' ${usher}; connect-src 'self' ${usher}; style-src-attr 'unsafe-inline'; img-src 'self' data:` }).end(text);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address();
const browser = await launch('127.0.0.1');
const problems = [];
try {
  const tab = await browser.newPage();
  tab.setDefaultTimeout(30_000);
  tab.on('pageerror', (error) => problems.push(error.message));
  tab.on('console', (message) => ['error', 'warning'].includes(message.type()) && !/ 404 /.test(message.text()) && problems.push(message.text()));
  await tab.goto(`http://127.0.0.1:${port}/`);
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
  for (const reacts of [{ react: 'react-18', dom: 'react-dom-18' }, {}]) {
    const server = await rendered(reacts);
    const want = [
      `<usher-dashboard class="url" id="url" data-seen="as it is" style="min-height:10px" server="${usher}" locale="en-US" name="sold" token-url="/token" headless="" theme="dark"></usher-dashboard>`,
      `<usher-dashboard class="callback" id="callback" data-seen="as it is" style="min-height:10px" server="${usher}" locale="en-US" name="sold" defer-hydration=""></usher-dashboard>`,
      `<usher-dashboard class="client" id="client" data-seen="as it is" style="min-height:10px" server="${usher}" locale="en-US" name="more" defer-hydration=""></usher-dashboard>`,
      `<usher-chart class="text" id="text" data-seen="as it is" style="min-height:10px" server="${usher}" locale="en-US" query="{ orders { total } }" kind="table" defer-hydration="" exact="" refresh="600"></usher-chart>`,
    ];
    if (server.html !== `<main>${want.join('')}</main>`) problems.push(`React ${server.version} writes ${server.html}`);
    for (const first of ['', `<script type="module" src="${usher}/embed.js"></script>`]) {
      html = `<div id="root">${server.html}</div>${first}`;
      scripts.clear();
      for (const { path, text } of server.scripts) scripts.set(path, text);
      taking = new Promise((resolve) => (taken = resolve));
      await tab.goto(`http://127.0.0.1:${port}/`);
      for (const [name, value] of Object.entries({ url: /^35$/, callback: /^35$/, client: /^70$/ })) await tab.locator(`#${name} usher-number .value`, { hasText: value }).first().waitFor();
      await tab.locator('#text').getByText('35').first().waitFor();
      // A prop says the seconds, and the element's method of that name is there.
      const seconds = await tab.locator('#text').evaluate((chart) => [chart.every, typeof chart.refresh]);
      if (seconds.join() !== '600,function') problems.push(`React ${server.version}: a chart has the seconds ${seconds[0]}, and refresh is a ${seconds[1]}`);
      const told = await tab.evaluate(() => globalThis.told.sort().join());
      if (told !== 'load callback,load client,load text,load url') problems.push(`React ${server.version}${first && ' after embed.js'}: the page is told ${told}`);
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
} catch (error) {
  throw new Error(`${error.message}\n${problems.join('\n')}`);
} finally {
  await browser.close();
  server.close();
}
