import { html, LitElement, nothing, unsafeCSS } from 'lit';
import { explain } from './explain.ts';
import { Formats, knownZone } from './format.ts';
import styles from './notice.css';
import { texts } from './texts.ts';

/** Says above numbers that they are not the newest, and why. It tells `tile-retry`. */
class Notice extends LitElement {
  static override properties = { problem: { attribute: false }, since: { attribute: false }, names: { attribute: false }, locale: {}, timezone: {} };
  static override styles = unsafeCSS(styles);
  declare problem: unknown;
  declare since: Date | undefined;
  /** What is meant, if it is not all. */
  declare names: string | undefined;
  declare locale: string | undefined;
  declare timezone: string | undefined;

  override render(): unknown {
    if (!this.problem) return nothing;
    const { title, why, again } = explain(this.problem);
    const zone = knownZone(this.timezone) ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
    const since = this.since ? texts.since(new Formats(undefined, this.locale, zone).time(this.since.toISOString(), 'minute'), this.names) : '';
    return html`<div role="alert"><span>${title}. ${why} ${since}</span>${again
      ? html`<button @click=${() => this.dispatchEvent(new CustomEvent('tile-retry', { bubbles: true, composed: true }))}>${texts.tryAgain}</button>`
      : nothing}</div>`;
  }
}

if (!customElements.get('usher-notice')) customElements.define('usher-notice', Notice);
