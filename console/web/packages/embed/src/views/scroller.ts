import { texts } from '../texts.ts';
import { ViewElement } from './base.ts';
import { Paper } from './paper.ts';

/** A view that scrolls. It tells its tile of what is out of sight: rows that are cut off at the line between two would be missed. On paper all is there. */
export abstract class Scroller extends ViewElement {
  static override properties = { ...ViewElement.properties, _paper: { state: true } };
  declare _paper: boolean;

  #sizes: ResizeObserver | undefined;
  #media = new Paper((paper) => {
    if (paper === this._paper) return;
    this._paper = paper;
    this.performUpdate();
  });

  constructor() {
    super();
    this._paper = false;
    this.addEventListener('scroll', () => this.#look(), { passive: true });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#media.start();
    this.#sizes = new ResizeObserver(() => this.#look());
    this.#sizes.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#media.stop();
    this.#sizes?.disconnect();
    this.#table = this.#said = null;
  }

  #table: Element | null = null;

  override updated(): void {
    const table = this.querySelector('table');
    if (table && table !== this.#table) this.#sizes?.observe(table);
    this.#table = table;
    this.#look();
  }

  /** How many rows come after those that are in the page. */
  protected get unrendered(): number {
    return 0;
  }

  #said: string | undefined | null = null; // nothing yet: its tile may still have what another said

  #look(): void {
    const { bottom, right } = this.getBoundingClientRect();
    const rows = this.querySelectorAll('tbody tr:not(.gap)');
    let below = 0;
    while (below < rows.length && rows[rows.length - 1 - below]!.getBoundingClientRect().bottom > bottom + 2) below++;
    const rest = below > 0 ? below + this.unrendered : 0;
    const beside = (this.querySelector('table')?.getBoundingClientRect().right ?? 0) > right + 2;
    const scrolls = this.scrollHeight > this.clientHeight + 1 || this.scrollWidth > this.clientWidth + 1;
    const hidden = [...this.querySelectorAll('thead th')].filter((cell) => cell.getBoundingClientRect().width === 0).length;
    const parts = [rest > 0 ? `${texts.rowsBelow(rest)} ↓` : '', beside ? `${texts.columnsBeside} →` : '', hidden > 0 ? texts.columnsHidden(hidden) : ''];
    const said = (scrolls || hidden > 0) && !this._paper ? parts.filter(Boolean).join(', ') : undefined;
    if (said === this.#said) return;
    this.#said = said;
    this.dispatchEvent(new CustomEvent('rest', { detail: said }));
  }
}
