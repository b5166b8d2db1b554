// Runs GraphQL clients in Chromium against a server:
//   node clients.mjs FOLDER CLIENT...
// A CLIENT is a page of clients/; FOLDER has what they are set up with: modules,
// schema.graphql and Relay's configuration. Bundles each page, serves it from an
// origin of its own, and waits until it has finished. Fails with what the pages
// found wrong, and prints what they sent, one line a request: the client, the
// method, what is in it, the status, the encoding of the answer.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { launch } from './browser.mjs';

const patience = 60_000; // milliseconds for each client

const [folder, ...names] = process.argv.slice(2);
if (!folder || names.length === 0) {
  console.error('usage: node clients.mjs FOLDER CLIENT...');
  process.exit(2);
}
const here = dirname(fileURLToPath(import.meta.url));
if (names.includes('relay')) {
  await cp(join(here, 'clients', 'relay'), join(folder, 'src'), { recursive: true });
  execFileSync(join(here, 'node_modules', '.bin', 'relay-compiler'), [join(folder, 'relay.config.json')], { cwd: folder, encoding: 'utf8' });
}

// bundle makes the script of a client's page.
async function bundle(name) {
  const { outputFiles } = await build({
    entryPoints: [join(here, 'clients', `${name}.js`)],
    alias: { setup: folder },
    nodePaths: [join(here, 'node_modules')],
    bundle: true,
    write: false,
    format: 'iife',
    // What a client warns of during development counts as wrong.
    define: { 'process.env.NODE_ENV': '"development"', __DEV__: 'true' },
    logLevel: 'error',
  });
  return outputFiles[0].contents;
}

let script;
const server = createServer((request, response) => {
  const asked = request.url === '/page.js';
  response.writeHead(200, { 'content-type': asked ? 'text/javascript' : 'text/html' });
  response.end(asked ? script : '<!doctype html><link rel="icon" href="data:,"><script src="/page.js"></script>');
}).listen(0, '127.0.0.1');
await once(server, 'listening');

const browser = await launch('127.0.0.1');
try {
  for (const name of names) {
    script = await bundle(name);
    const problems = await run(name);
    if (problems.length > 0) {
      console.error(`${name}: ${problems.join(`\n${name}: `)}`);
      process.exitCode = 1;
    }
  }
} finally {
  await browser.close();
  server.close();
}

async function run(name) {
  const page = await browser.newPage();
  page.setDefaultTimeout(patience);
  const problems = [];
  const requests = [];
  page.on('pageerror', (error) => problems.push(error.stack));
  page.on('console', (message) => {
    const refused = message.text().startsWith('Failed to load resource'); // which is an answer
    if (['error', 'warning'].includes(message.type()) && !refused) problems.push(message.text());
  });
  page.on('requestfinished', (request) => {
    if (new URL(request.url()).pathname === '/graphql') requests.push(describe(request).catch((error) => error.message));
  });
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  try {
    problems.push(...(await page.evaluate(() => window.finished)));
  } catch (error) {
    problems.push(error.message);
  }
  for (const request of requests) console.log(name, await request);
  await page.close();
  return problems;
}

async function describe(request) {
  const { search, searchParams } = new URL(request.url());
  const sent = request.postData() ?? '';
  const what = [
    sent.includes('"query":') || searchParams.has('query') ? 'text' : '',
    (sent + search).includes('sha256Hash') ? 'hash' : '',
  ];
  const response = await request.response();
  const encoding = (await response.allHeaders())['content-encoding'];
  return [request.method(), what.filter(Boolean).join('+'), response.status(), encoding ?? 'identity'].join(' ');
}
