// How rows come onto paper that is narrower than they are. What paper will be like is not known before it is laid out, so a table
// says how much room it needs, in classes, and rules for each width of its tile do the rest: a smaller type, and where that is
// not enough a row is a list of what it has, each value below its name.

const step = 100; // pixels
const most = 16; // steps: whoever needs more is a list on any paper

/** The classes of a table whose columns have so many characters that are not broken. */
export function roomOf(columns: readonly number[]): string {
  const sum = columns.reduce((sum, characters) => sum + characters, 0);
  const steps = (pixels: number) => Math.min(most, Math.ceil(pixels / step));
  return `room-${steps(7.7 * sum + 12 * columns.length + 16)} tight-${steps(5.9 * sum + 6 * columns.length + 16)}`;
}

/** The longest word of a text, as far as words are kept whole. */
export const word = (text: string): number => Math.min(14, Math.max(0, ...text.split(/\s+/).map((part) => part.length)));

const small = (table: string) => `${table},${table} :is(th,td){font-size:9px;line-height:12px}${table} :is(th,td){padding:4px 3px}${table} .sort{font-size:9px;line-height:12px;min-height:0}`;
const list = (table: string) => `${table} thead{display:none}${table},${table} tbody{display:block}
${table} tr:not(.gap){display:grid;grid-template-columns:repeat(auto-fill,minmax(120px,1fr));grid-auto-flow:dense;gap:4px 12px;padding:8px 16px;border-bottom:1px solid var(--u-line)}
${table} :is(th,td){display:block;border:0;padding:0;text-align:start;white-space:normal;overflow-wrap:anywhere;min-width:0;width:auto;font-size:10px;line-height:14px}
${table} .far{grid-column:span 2}${table} .barred{justify-content:flex-start}
${table} [data-name]::before{content:attr(data-name);display:block;font-size:9px;line-height:12px;font-weight:400;color:var(--u-muted)}`;

/** Rules for all tables, for each width of a tile. */
export const paper = `@media print{${Array.from({ length: most }, (_none, i) => {
  const at = i + 1 === most ? '(width > 0px)' : `(width < ${(i + 1) * step}px)`;
  const [room, tight] = ['room', 'tight'].map((name) => `.${name}-${i + 1}`.repeat(3));
  return `@container tile ${at}{${small(room!)}${list(`${tight}${tight}`)}}`;
}).join('')}}`;

/** Tells of paper, and of its end; a preview of paper is paper. */
export class Paper {
  readonly #media = matchMedia('print');
  readonly #tell: (paper: boolean) => void;
  constructor(tell: (paper: boolean) => void) {
    this.#tell = tell;
  }
  readonly #event = ({ type }: Event) => this.#tell(type === 'beforeprint');
  readonly #change = () => this.#tell(this.#media.matches);
  start(): void {
    addEventListener('beforeprint', this.#event);
    addEventListener('afterprint', this.#event);
    this.#media.addEventListener('change', this.#change);
    if (this.#media.matches) this.#tell(true);
  }
  stop(): void {
    removeEventListener('beforeprint', this.#event);
    removeEventListener('afterprint', this.#event);
    this.#media.removeEventListener('change', this.#change);
  }
}
