// Has usher's packages in an application: installed by npm, checked by TypeScript, bundled by esbuild, and run.
//   node packages.mjs USHER FOLDER TOKEN
// What the packages need of others comes from a registry of what is installed here.
import { execFile, execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const [usher, folder, token] = process.argv.slice(2);
if (!token) {
  console.error('usage: node packages.mjs USHER FOLDER TOKEN');
  process.exit(2);
}
const modules = fileURLToPath(new URL('node_modules', import.meta.url));
const command = (name, args) => promisify(execFile)(name, args, { cwd: folder, maxBuffer: 1 << 26 });

// installed are the places of a package: also below those that want another version.
async function installed(name) {
  const found = {};
  for (const place of ['.', ...(await readdir(modules)).map((above) => join(above, 'node_modules'))]) {
    const manifest = await readFile(join(modules, place, name, 'package.json'), 'utf8').then(JSON.parse, () => undefined);
    if (manifest) found[manifest.version] = { manifest, folder: join(modules, place, name) };
  }
  return found;
}

const asked = [];
const registry = createServer(async (request, response) => {
  const [, name, version] = /^\/([^?]*?)(?:\/-\/(.*)\.tgz)?$/.exec(decodeURIComponent(request.url));
  asked.push(name);
  const found = await installed(name);
  const versions = Object.entries(found).map(([version, { manifest }]) => [version, { ...manifest, dist: { tarball: `http://${request.headers.host}/${name}/-/${version}.tgz` } }]);
  if (version) response.end(execFileSync('tar', ['-C', found[version].folder, '--exclude=./node_modules', '--exclude=*.map', '-czf', '-', '--transform', 's,^\\.,package,', '.'], { maxBuffer: 1 << 28 }));
  else if (versions.length === 0) response.writeHead(404).end('{}');
  else response.setHeader('content-type', 'application/json').end(JSON.stringify({ name, 'dist-tags': { latest: versions[0][0] }, versions: Object.fromEntries(versions) }));
});
await new Promise((resolve) => registry.listen(0, '127.0.0.1', resolve));

const files = {
  'package.json': JSON.stringify({ name: 'portal', private: true, type: 'module' }),
  'tsconfig.json': JSON.stringify({
    compilerOptions: { target: 'es2022', module: 'esnext', moduleResolution: 'bundler', lib: ['es2023', 'dom', 'dom.iterable'], jsx: 'react-jsx', strict: true, noEmit: true, types: [] },
    include: ['*.ts', '*.tsx'],
  }),
  // What Explore copies, and what embedding.md says.
  'ask.ts': `
import { inspect } from 'node:util';
import { Client, UsherError } from '@usher/client';
export const usher = new Client({ server: ${JSON.stringify(usher)}, token: process.argv[2]! });
const { data, errors } = await usher.query<{ viewer: { tenant: string } }>('{ viewer { tenant } }').catch((error) => {
  if (!(error instanceof UsherError)) throw error;
  return { data: null, errors: [{ message: error.code }] };
});
// It has its own name wherever it is shown.
const refused = await new Client({ server: usher.server, token: 'none' }).query('{ viewer { tenant } }').catch((error) => error);
const names = [refused.name, refused.constructor.name, UsherError.name, String(refused), refused.stack.split(/[:\\n]/)[0], inspect(refused).split(/[:\\n]/)[0]];
if (names.some((name) => !/^UsherError(:|$)/.test(name))) throw new Error('the error is called ' + names.join(', '));
console.log(data?.viewer.tenant ?? errors[0]?.message);
`,
  'globals.d.ts': "declare const process: { argv: string[] };\ndeclare module 'node:util' {\n  export function inspect(value: unknown): string;\n}\n",
  'page.tsx': `
import { Client } from '@usher/client';
import { useRef } from 'react';
import type { UsherDashboard as Element } from '@usher/embed';
import { UsherChart, UsherDashboard, type UsherChartElement, type UsherDashboardElement } from '@usher/react';
const usher = new Client({ server: ${JSON.stringify(usher)}, tokenUrl: '/api/usher-token' });
// What a ref holds is one type, whichever package it is named after.
export const Refs = () => {
  const board = useRef<Element>(null);
  const same = useRef<UsherDashboardElement>(null);
  const chart = useRef<UsherChartElement>(null);
  board.current?.set('region', 'EU');
  const other: UsherDashboardElement | null = board.current;
  const back: Element | null = same.current;
  chart.current?.refresh();
  // @ts-expect-error a chart is no dashboard
  const none: Element | null = chart.current;
  return <><UsherDashboard ref={board} client={usher} name="sales" /><UsherDashboard ref={same} name="sales" /><UsherChart ref={chart} query="{ x }" refresh={30} title={String([other, back, none])} /></>;
};
// @ts-expect-error a dashboard's document says how often
export const Often = () => <UsherDashboard client={usher} name="sales" refresh={30} />;
export const Page = () => <UsherDashboard client={usher} name="sales" onSelect={(event) => console.log(event.detail.values['key.region'])} onError={(event) => console.log(event.detail.error.code)} />;
`,
  'element.ts': `
import { UsherChart, UsherDashboard, define } from '@usher/embed';
define();
const board: UsherDashboard = document.querySelector('usher-dashboard')!;
board.set('region', 'EU');
export const kind: UsherChart['kind'] = 'bar';
// @ts-expect-error there is no such kind
export const none: UsherChart['kind'] = 'cake';
`,
};
try {
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
  const where = `http://127.0.0.1:${registry.address().port}/`;
  const npm = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--registry', where, '--cache', join(folder, 'cache')];
  await command('npm', [...npm, ...['client', 'embed', 'react'].map((name) => new URL(`packages/${name}.tgz`, usher).href), 'react', '@types/react']);
  const others = asked.filter((name) => name.startsWith('@usher'));
  if (others.length > 0) throw new Error(`somebody else's package might be installed: ${others}`);
  const { version } = JSON.parse(await readFile(join(folder, 'node_modules/@usher/react/package.json'), 'utf8'));
  if (!version || !(await readdir(join(folder, 'node_modules/@usher/react'))).includes('LICENSE')) throw new Error('the package has no version or no license');
  await command(process.execPath, [join(modules, 'typescript/bin/tsc'), '-p', '.']).catch(({ stdout, stderr }) => {
    throw new Error(`${stdout}${stderr}`);
  });
  const bundled = await build({ absWorkingDir: folder, entryPoints: ['page.tsx', 'element.ts'], bundle: true, splitting: true, format: 'esm', target: ['es2022'], jsx: 'automatic', outdir: 'out', logLevel: 'error', metafile: true });
  if (Object.keys(bundled.metafile.inputs).some((path) => path.includes('console/web'))) throw new Error('it was bundled from elsewhere');
  await build({ absWorkingDir: folder, entryPoints: ['ask.ts'], bundle: true, format: 'esm', platform: 'node', target: ['es2022'], outfile: 'out/ask.mjs', logLevel: 'error' });
  const { stdout } = await command(process.execPath, ['out/ask.mjs', token]);
  console.log(stdout.trim());
} finally {
  registry.close();
  registry.closeAllConnections();
}
