// Builds all workspaces into ../dist, which is committed and embedded: the
// console into dist/console, and each package that has a "bundle" script into the
// folder of dist that its script names, what npm installs into dist/packages. Beside them stand the licenses of what is
// inside, and the hash of the sources. Nothing of it loads from elsewhere.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const dist = '../dist';
const folders = ['app', ...(await entries('packages')).map((name) => `packages/${name}`)];

for (const made of ['console', 'packages']) await rm(`${dist}/${made}`, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
// Packages come first: the console is made of some of them.
for (const folder of [...folders].reverse()) {
  execFileSync('npm', ['run', 'bundle', '--if-present', '--workspace', folder], { stdio: 'inherit' });
}
await writeFile(`${dist}/licenses.txt`, await licenses());
await writeFile(`${dist}/source.sha256`, `${await sourceHash()}\n`);

// licenses gathers the license of every package that the workspaces depend on at
// run time, and of what those depend on.
async function licenses() {
  const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8'));
  const texts = [];
  for (const [folder, { dev, devOptional, link, version, license }] of Object.entries(packages).sort()) {
    if (!folder.includes('node_modules/') || dev || devOptional || link) continue;
    const files = await entries(folder);
    const file = files.find((name) => /^licen[cs]e/i.test(name));
    const text = file ? (await readFile(join(folder, file), 'utf8')).trim() : '';
    texts.push(`${folder.replace(/^.*node_modules\//, '')} ${version} (${license ?? 'see below'})\n\n${text}`.trim());
  }
  return `${[...new Set(texts)].join(`\n\n${'-'.repeat(78)}\n\n`)}\n`;
}

// sourceHash names the state of the sources, so that a test can tell a bundle
// that was not built again after a change.
async function sourceHash() {
  const paths = ['build.mjs', 'package-lock.json', 'package.json'];
  for (const folder of folders) paths.push(...(await files(folder)));
  const hash = createHash('sha256');
  for (const path of paths.sort()) {
    const content = await readFile(path);
    hash.update(`${path}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

async function files(folder) {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (['node_modules', 'dist'].includes(entry.name)) continue;
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await files(path)));
    else found.push(path);
  }
  return found;
}

async function entries(folder) {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  } catch {
    return [];
  }
}
