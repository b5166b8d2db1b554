// Style sheets are imported as minified text, which the components adopt: nothing is ever written into a page's HTML.
import { transform } from 'esbuild';
import { readFile } from 'node:fs/promises';

export const css = {
  name: 'css',
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};
