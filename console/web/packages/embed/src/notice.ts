import { html, LitElement, nothing, unsafeCSS } from 'lit';
import { explain } from './explain.ts';
import styles from './notice.css';
import { texts } from './texts.ts';

/** Says above numbers that they are not the newest, and why. It tells `tile-retry`. */
class Notice extends LitElement {
  static override properties = { problem: { attribute: false } };
  static override styles = unsafeCSS(styles);
  declare problem: unknown;

  override render(): unknown {
    if (!this.problem) return nothing;
    const { title, why } = explain(this.problem);
    return html`<div role="alert"><span>${title}. ${why}</span><button
      @click=${() => this.dispatchEvent(new CustomEvent('tile-retry', { bubbles: true, composed: true }))}>${texts.tryAgain}</button></div>`;
  }
}

if (!customElements.get('usher-notice')) customElements.define('usher-notice', Notice);
