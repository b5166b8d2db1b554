import { Exact, type Numeric, type Parameter } from '@usher/client';
import { html, LitElement, unsafeCSS } from 'lit';
import { Formats } from './format.ts';
import styles from './parameters.css';
import { label } from './labels.ts';
import { dayOf, midnight } from './zone.ts';

/** The controls of a dashboard's parameters: the browser's own, which people and screen readers know. It tells `parameter`. */
class Parameters extends LitElement {
  static override properties = { parameters: { attribute: false }, values: { attribute: false }, timezone: {}, locale: {}, _wrong: { state: true } };
  static override styles = unsafeCSS(styles);

  declare parameters: Parameter[];
  declare values: Record<string, unknown>;
  declare timezone: string | undefined;
  declare locale: string | undefined;
  declare _wrong: Record<string, string> | undefined; // what is wrong with what a control has

  override render(): unknown {
    const parameters = this.parameters ?? [];
    return html`${parameters.map((parameter) => this.#control(parameter))}<p>${parameters.map((parameter) => html`<span>${this.#chosen(parameter)}</span>`)}</p>`;
  }

  /** What a control stands at, for paper. */
  #chosen({ name, label: said, options, type }: Parameter): string {
    const value = this.values[name];
    const option = options?.find((one) => JSON.stringify(one.value) === JSON.stringify(value));
    const shown = typeof value === 'string' && /Timestamp|Date/.test(type) ? dayOf(value, this.timezone) : value;
    return `${said ?? label(name)}: ${option?.label ?? new Formats({ [name]: { unit: 'day' } }, this.locale, this.timezone).text(name, option?.value ?? shown)}`;
  }

  #control(parameter: Parameter): unknown {
    const { name, control, options = [], type } = parameter;
    const value = this.values[name];
    const said = parameter.label ?? label(name);
    const tell = (given: unknown) => this.dispatchEvent(new CustomEvent('parameter', { detail: { name, value: given } }));
    switch (control) {
      case 'toggle':
        return html`<label class="toggle"><input type="checkbox" .checked=${value === true}
          @change=${(event: Event) => tell((event.target as HTMLInputElement).checked)}>${said}</label>`;
      case 'select': {
        const at = options.findIndex((option) => JSON.stringify(option.value) === JSON.stringify(value));
        return html`<label>${said}<span class="select"><select
            @change=${(event: Event) => tell(options[(event.target as HTMLSelectElement).selectedIndex - (at < 0 ? 1 : 0)]?.value)}
          >${at < 0 ? html`<option selected disabled>–</option>` : ''}${options.map(
            (option, i) => html`<option .selected=${i === at}>${option.label ?? String(option.value)}</option>`,
          )}</select><svg viewBox="0 0 10 10" aria-hidden="true"><path d="M1 3l4 4 4-4" /></svg></span></label>`;
      }
      case 'date': {
        const shown = typeof value === 'string' ? dayOf(value, this.timezone) : '';
        return html`<label>${said}<input type="date" .value=${shown}
          @change=${(event: Event) => {
            const date = (event.target as HTMLInputElement).value;
            tell(date === '' ? undefined : type.startsWith('Timestamp') ? midnight(date, this.timezone) : type.startsWith('LocalTimestamp') ? `${date}T00:00:00` : date);
          }}></label>`;
      }
      case 'number': {
        // What is no number is told by the browser's words, also where none was there before, which is no change.
        const judge = (event: Event) => {
          const { value, validationMessage } = event.target as HTMLInputElement;
          this._wrong = { ...this._wrong, [name]: validationMessage };
          if (event.type === 'change' && !validationMessage) tell(value === '' ? undefined : numberOf(value));
        };
        const wrong = this._wrong?.[name];
        return html`<label>${said}<input type="number" step="any" aria-invalid=${!!wrong} .value=${value === undefined ? '' : String(value)}
          @change=${judge} @blur=${judge}>${wrong ? html`<small role="alert">${wrong}</small>` : ''}</label>`;
      }
      default:
        return html`<label>${said}<input type="text" .value=${value === undefined ? '' : String(value)}
          @change=${(event: Event) => tell((event.target as HTMLInputElement).value)}></label>`;
    }
  }
}

/** A number with the digits that it was written with, as JSON writes numbers. */
function numberOf(text: string): Numeric {
  const digits = text.replace(/^(-?)0*(?=\d)/, '$1').replace(/^(-?)\./, '$10.');
  return String(Number(digits)) === digits ? Number(digits) : new Exact(digits);
}

if (!customElements.get('usher-parameters')) customElements.define('usher-parameters', Parameters);
