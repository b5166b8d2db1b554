import { html, type TemplateResult } from 'lit';
import { defineView, sheet, ViewElement } from './base.ts';

const style = sheet(`@media print{usher-text{overflow:visible!important}}usher-text{overflow:auto;font-size:14px;line-height:20px}usher-text>*{margin:0 0 8px}usher-text>:last-child{margin:0}
usher-text :is(h3,h4){font-size:15px;line-height:22px;font-weight:600}usher-text p{font-size:14px;color:inherit}usher-text ul{padding-inline-start:20px}
usher-text a{color:var(--u-accent);text-underline-offset:2px}`);

/** Words: paragraphs, `# ` headings, `- ` lists, **strong** and [links](https://…). Nothing in it is HTML. */
class TextView extends ViewElement {
  protected readonly sheet = style;

  override render(): unknown {
    // A heading is one line, whatever stands around it.
    return (this.view.chart.text ?? '').replace(/^#{1,4} .*$/gm, '\n$&\n').split(/\n\s*\n/).map((block) => {
      // So begins a list, and each of its items, which may go on in the next line.
      const items = block.trim().split(/\n(?=[-*] )/);
      const words = /^[-*] /.test(items[0]!) ? '' : items.shift()!;
      const heading = /^#{1,4} (.*)$/.exec(words);
      // Below the tile's title, or in its place.
      if (heading) return this.view.title ? html`<h4>${inline(heading[1]!)}</h4>` : html`<h3>${inline(heading[1]!)}</h3>`;
      return [words && html`<p>${inline(words)}</p>`, items[0] && html`<ul>${items.map((item) => html`<li>${inline(item.slice(2))}</li>`)}</ul>`];
    });
  }
}

function inline(text: string): (string | TemplateResult)[] {
  return text.split(/(\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\))/).map((part) => {
    const strong = /^\*\*(.+)\*\*$/.exec(part);
    if (strong) return html`<strong>${strong[1]}</strong>`;
    const link = /^\[(.+)\]\((https?:\/\/[^)\s]+)\)$/.exec(part);
    if (link) return html`<a href=${link[2]!} target="_blank" rel="noopener noreferrer">${link[1]}</a>`;
    return part;
  });
}

defineView('usher-text', TextView);
