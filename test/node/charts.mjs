// Reads what the charts of dashboards in the console say, in Chromium:
//   node charts.mjs URL TOKEN NAME...
// Prints JSON: of each tile, as "dashboard/tile", the pairs of what a value is called and how it is written. Charts are
// read with the arrow keys, mark by mark; tables cell by cell.
import { visit } from './visit.mjs';

const [base, token, ...names] = process.argv.slice(2);
if (names.length === 0) {
  console.error('usage: node charts.mjs URL TOKEN NAME...');
  process.exit(2);
}
const address = new URL(base);

await visit(address, { width: 1920, height: 1200 }, async (page) => {
  await page.addInitScript((token) => sessionStorage.setItem('usher.token', token), token);
  const found = {};
  for (const name of names) {
    await page.goto(new URL(`console/dashboards/${name}`, address).href);
    await page.locator('usher-dashboard usher-plot svg path').first().waitFor({ state: 'attached' });
    for (const tile of await page.locator('usher-dashboard usher-tile').all()) {
      const view = tile.locator('usher-number, usher-plot, usher-table tbody, usher-pivot tbody, usher-text').first();
      await view.waitFor();
      found[`${name}/${await tile.getAttribute('data-tile')}`] = await view.evaluate(read);
    }
  }
  console.log(JSON.stringify(found));
});

function read(view) {
  const text = (element) => element.innerText.trim();
  switch (view.localName) {
    case 'usher-number':
      return [['', text(view.querySelector('.value'))]];
    case 'usher-text':
      return [];
    case 'tbody': {
      const heads = [...view.parentElement.querySelectorAll('thead th')].map(text);
      return [...view.rows].slice(0, 50).flatMap((row) => {
        const name = text(row.cells[0].querySelector('.clip') ?? row.cells[0]);
        return [...row.cells].slice(1).map((cell, i) => [`${name}, ${heads[i + 1]}`, text(cell)]);
      });
    }
    default: {
      const pairs = [];
      const press = (key) => view.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
      press('End');
      const last = view.querySelector('.reading').textContent;
      press('Home');
      for (let said; said !== last && pairs.length < 5000; press('ArrowRight')) {
        said = view.querySelector('.reading').textContent;
        pairs.push([said.slice(0, said.lastIndexOf(': ')), said.slice(said.lastIndexOf(': ') + 2)]);
      }
      return pairs;
    }
  }
}
