// Builds a package for publishing into its dist: modules as they are, without those that it depends on, and their types.
//   node library.mjs FOLDER
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { css } from './css.mjs';

const folder = process.argv[2];
const outdir = `${folder}/dist`;
await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: [`${folder}/src/index.ts`],
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  target: ['es2022'],
  packages: 'external',
  plugins: [css],
  logLevel: 'warning',
});
const types = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--rewriteRelativeImportExtensions', '--outDir', outdir, '--rootDir', `${folder}/src`];
execFileSync('npx', ['tsc', '-p', folder, ...types], { stdio: 'inherit' });
