import { LitElement, type PropertyValues } from 'lit';
import type { Pick, View } from '../view.ts';

/** What draws one kind. It stands in its tile's shadow root, and brings its style sheet there. */
export abstract class ViewElement extends LitElement {
  static override properties: Record<string, object> = { view: { attribute: false } };
  declare view: View;

  protected abstract readonly sheet: CSSStyleSheet;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const root = this.getRootNode() as ShadowRoot;
    if (!root.adoptedStyleSheets.includes(this.sheet)) root.adoptedStyleSheets.push(this.sheet);
  }

  protected override shouldUpdate(_changed: PropertyValues): boolean {
    return this.view !== undefined;
  }

  protected pick(pick: Pick): void {
    this.dispatchEvent(new CustomEvent('pick', { detail: pick }));
  }
}

export function sheet(text: string): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(text);
  return made;
}

export function defineView(name: string, view: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, view);
}
