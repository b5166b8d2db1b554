// Bundles src/ into ../dist, which is committed and embedded: the page, one
// script, one style sheet and the licenses of what is inside. Nothing in it
// loads from elsewhere.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';

const outdir = '../dist';
await rm(outdir, { recursive: true, force: true });
await mkdir(outdir, { recursive: true });
const { metafile } = await build({
  entryPoints: { playground: 'src/playground.jsx' },
  outdir,
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2021'],
  jsx: 'automatic',
  // Every JSON.parse of the bundle, GraphiQL's own included, keeps all digits.
  inject: ['src/exact.js'],
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
});
await copyFile('src/playground.html', `${outdir}/playground.html`);
await writeFile(`${outdir}/licenses.txt`, await licenses(Object.keys(metafile.inputs)));
await writeFile(`${outdir}/source.sha256`, `${await sourceHash()}\n`);

// licenses gathers the license of every package that went into the bundle.
async function licenses(inputs) {
  const folders = inputs.map((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  const texts = [];
  for (const folder of [...new Set(folders.filter(Boolean))].sort()) {
    const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8'));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? (await readFile(`${folder}/${file}`, 'utf8')).trim() : '';
    texts.push(`${name} ${version} (${license})\n\n${text}`.trim());
  }
  return `${texts.join(`\n\n${'-'.repeat(78)}\n\n`)}\n`;
}

// sourceHash names the state of the sources, so that a test can tell a bundle
// that was not built again after a change.
async function sourceHash() {
  const sources = (await readdir('src')).map((file) => `src/${file}`);
  const hash = createHash('sha256');
  for (const path of ['build.mjs', 'package-lock.json', 'package.json', ...sources].sort()) {
    const content = await readFile(path);
    hash.update(`${path}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}
