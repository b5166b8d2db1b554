// Bundles embed.js and its chunks into ../../../dist/embed, which is committed and
// embedded. embed.js keeps its name; chunks are named by what is in them, so that browsers may keep them for good.
import { build } from 'esbuild';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { css } from './css.mjs';

const outdir = '../../../dist/embed';
await rm(outdir, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { embed: 'src/embed.ts' },
  outdir,
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  target: ['es2022'],
  chunkNames: 'embed/[name]-[hash]',
  define: { 'process.env.NODE_ENV': '"production"' },
  plugins: [css],
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
});

// esbuild has every chunk wait for the one with its helpers, also those that use none. It holds no module, and does nothing by itself.
const helpers = Object.keys(metafile.outputs).filter((path) => Object.keys(metafile.outputs[path].inputs).length === 0);
for (const path of Object.keys(metafile.outputs)) {
  const text = await readFile(path, 'utf8');
  const without = helpers.reduce((rest, helper) => rest.replace(new RegExp(`import"[./a-z]*/${basename(helper)}";`), ''), text);
  if (without !== text) await writeFile(path, without);
}
