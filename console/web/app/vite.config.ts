import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

// What stands in the page is painted before its style sheet is there: a browser waits for those in its head with everything.
const late: Plugin = {
  name: 'late-styles',
  transformIndexHtml: {
    order: 'post',
    handler(page) {
      const sheets = page.match(/ *<link rel="stylesheet"[^>]*>\n/g) ?? [];
      return sheets.reduce((rest, sheet) => rest.replace(sheet, '').replace('    <noscript>', `${sheet}    <noscript>`), page);
    },
  },
};

// The page names all its parts from where its <base> says that it stands, so it
// works below any path. Nothing is inlined: the content security policy allows
// no data but images, and what is a file of its own is kept by browsers.
export default defineConfig({
  base: './',
  plugins: [react(), late],
  resolve: { alias: { 'vscode-languageserver-types': new URL('src/query/lsp.ts', import.meta.url).pathname } },
  build: {
    chunkSizeWarningLimit: 1000,
    outDir: '../../dist/console',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    manifest: false,
    // What edits texts is loaded by the pages that have such an editor: a test holds those to a budget of their own, by the name.
    rolldownOptions: {
      output: { chunkFileNames: ({ moduleIds }) => `assets/${moduleIds.some((id) => id.includes('@codemirror/view')) ? 'page-code' : '[name]'}-[hash].js` },
    },
  },
});
