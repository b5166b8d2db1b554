// Packs a package for npm into ../../../dist/packages, which usher serves: no registry has it. What its neighbors here have is in it, modules and
// types, so that it is installed by itself; what others publish is a dependency.
//   node library.mjs FOLDER
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { css } from './css.mjs';

const folder = process.argv[2];
const staged = `${folder}/dist`;
const packed = '../../../dist/packages';
const read = async (path) => JSON.parse(await readFile(join(path, 'package.json'), 'utf8'));
const short = (name) => name.replace('@usher/', '');

const { name, version, description, license, sideEffects, peerDependencies, ...own } = await read(folder);
const dependencies = await published(own.dependencies);
await rm(staged, { recursive: true, force: true });
await build({
  entryPoints: [`${folder}/src/index.ts`],
  outdir: staged,
  bundle: true,
  splitting: true,
  format: 'esm',
  target: ['es2022'],
  keepNames: true, // esbuild calls a class that names itself _UsherError, and so do stacks
  external: Object.keys({ ...dependencies, ...peerDependencies }),
  plugins: [css],
  logLevel: 'warning',
});
const emit = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', `${staged}/types`, '--rootDir', '..'];
execFileSync('npx', ['tsc', '-p', folder, ...emit], { stdio: 'inherit' });
for (const path of await readdir(`${staged}/types`, { recursive: true })) if (path.endsWith('.d.ts')) await point(join(staged, 'types', path));

const types = `./types/${short(name)}/src/index.d.ts`;
const manifest = { name, version, description, type: 'module', license, sideEffects, exports: { '.': { types, default: './index.js' } }, dependencies, peerDependencies };
await writeFile(`${staged}/package.json`, `${JSON.stringify(manifest, undefined, 2)}\n`);
await cp('../../../../LICENSE', `${staged}/LICENSE`);
await mkdir(packed, { recursive: true });
const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', staged, '--json', '--ignore-scripts', '--pack-destination', packed], { encoding: 'utf8' }));
await rename(join(packed, filename), join(packed, `${short(name)}.tgz`));

/** The dependencies that registries have, with those of neighbors. */
async function published(given = {}) {
  const found = {};
  for (const [name, version] of Object.entries(given)) {
    if (name.startsWith('@usher/')) Object.assign(found, await published((await read(`../${short(name)}`)).dependencies));
    else found[name] = version;
  }
  return Object.fromEntries(Object.entries(found).sort());
}

/** Has a file of types name the files that are beside it. What is nobody's but a class's own is left out: of two packages that have it, it would be of two kinds. */
async function point(path) {
  const text = await readFile(path, 'utf8');
  const beside = (name) => relative(join(path, '..'), join(staged, 'types', name, 'src/index.js')).replaceAll('\\', '/').replace(/^(?!\.)/, './');
  const written = text.replace(/(['"])@usher\/(\w+)\1/g, (_all, quote, name) => quote + beside(name) + quote).replace(/(['"]\.{1,2}\/[^'"]*)\.ts(['"])/g, '$1.js$2').replace(/^(?: *\/\*\*.*\*\/\n)?( *)(?:#private;|(?:private|protected) (?:.*;|.*\n(?:\1 .*\n)*\1\}.*;))\n/gm, '');
  if (written !== text) await writeFile(path, written);
}
