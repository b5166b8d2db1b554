// Bundles embed.js and its chunks into ../../../dist/embed, which is committed and
// embedded. embed.js keeps its name; chunks are named by what is in them, so that browsers may keep them for good.
import { build } from 'esbuild';
import { rm } from 'node:fs/promises';
import { css } from './css.mjs';

const outdir = '../../../dist/embed';
await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: { embed: 'src/embed.ts' },
  outdir,
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  target: ['es2022'],
  conditions: ['source'],
  chunkNames: 'embed/[name]-[hash]',
  define: { 'process.env.NODE_ENV': '"production"' },
  plugins: [css],
  legalComments: 'none',
  logLevel: 'warning',
});
