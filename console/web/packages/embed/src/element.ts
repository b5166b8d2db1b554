import { type Asker, Client, type Feed, poll, type TokenSource, UsherError } from '@usher/client';
import { LitElement, type PropertyValues, unsafeCSS } from 'lit';
import { passes } from './passes.ts';
import type { Settled } from './settled.ts';
import tokens from './tokens.css';

/** Reads an attribute with a JSON object. What is none stays as it is: it is told of when the element asks. */
export const object = {
  fromAttribute: (text: string | null): unknown => {
    try {
      return JSON.parse(text!) ?? text;
    } catch {
      return text;
    }
  },
};

const late = 100; // milliseconds in which a page may still say what an element is for

/** What all elements for pages share: where they ask, as whom and when, and how they look. `Answer` is what is asked for. */
export abstract class UsherElement<Answer = unknown> extends LitElement {
  /** Where usher is published unless an element says so: where embed.js came from. */
  static server: string | undefined;

  static override properties: Record<string, object> = {
    server: {},
    tokenUrl: { attribute: 'token-url' },
    token: {},
    client: { attribute: false },
    theme: { reflect: true },
    locale: {},
    timezone: {},
    _later: { attribute: 'defer-hydration', type: Boolean },
    _answer: { state: true },
    _problem: { state: true },
    _busy: { state: true },
  };
  static override styles = [unsafeCSS(tokens)];

  declare server: string | undefined;
  declare tokenUrl: string | undefined;
  /** A token, or a function that gets one. */
  declare token: string | TokenSource | undefined;
  /** Asks in the place of one that the element makes for itself. Elements share one only if the page says so. */
  declare client: Asker | undefined;
  declare theme: 'auto' | 'light' | 'dark' | undefined;
  declare locale: string | undefined;
  declare timezone: string | undefined;

  /** Whether a server wrote the element and React has yet to give it what is not in HTML, such as its token. */
  declare _later: boolean | undefined;
  declare _answer: Answer | undefined;
  /** When the oldest came of what is shown. */
  _since: Date | undefined;
  /** The names of parts that are older than the others. */
  _kept: string[] | undefined;
  declare _problem: unknown;
  declare _busy: boolean;

  #own: Client | undefined;
  #feed: Feed | undefined;

  constructor() {
    super();
    this._busy = false;
  }

  /** Properties that make it another question, for which nothing of the one before is kept. */
  protected abstract readonly identity: readonly string[];
  /** Properties that ask the same question anew. */
  protected abstract readonly details: readonly string[];
  /** Whether there is a question, which has this name. */
  protected abstract readonly needs: string;
  /** Properties that are objects. */
  protected abstract readonly objects: readonly string[];
  protected abstract ask(client: Asker, signal: AbortSignal): Promise<Answer>;
  protected abstract seconds(): number;
  /** Loads what draws, which knows what to draw of an answer. */
  protected abstract load(): Promise<{ settled: (came: Answer, former: Answer | undefined) => Settled<Answer> }>;
  /** Forgets what was chosen of another question, or by somebody else. */
  protected anew(_changed: PropertyValues): void {}
  /** Forgets what was known of the question before. */
  protected forget(): void {
    this._answer = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load(); // while the token and the answers are on their way
    if (this.hasUpdated) this.#start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#waits);
    this.#feed?.stop();
  }

  override willUpdate(changed: PropertyValues): void {
    // Another way to a token may lead to somebody else: nothing of the one before is used again.
    const caller = ['server', 'tokenUrl', 'token', 'client', '_later'].some((name) => changed.has(name));
    if (caller) this.#own = undefined;
    const other = caller || this.identity.some((name) => changed.has(name));
    if (other && this.hasUpdated) this.anew(changed);
    if (other || !this.hasUpdated) this.#start();
    else if (this.objects.some((name) => changed.has(name)) && (this.#wrong() || (this._problem as UsherError | undefined)?.code === 'SETUP')) this.#start();
    else if (this.details.some((name) => changed.has(name))) {
      this.old = true;
      this.refresh();
    }
  }

  protected old = false; // what is shown answers what was asked before
  #waits: ReturnType<typeof setTimeout> | undefined;

  /** Whether there is a question. */
  protected asks(): boolean {
    return !!(this as unknown as Record<string, unknown>)[this.needs];
  }

  /** The property that is no object although it has to be one: nobody can ask with it. */
  #wrong(): string | undefined {
    return this.objects.find((name) => {
      const value = (this as unknown as Record<string, unknown>)[name] ?? {};
      return typeof value !== 'object' || Array.isArray(value);
    });
  }

  #setup(say: (words: typeof import('./setup.ts')) => ConstructorParameters<typeof UsherError>): void {
    this._busy = false;
    void import('./setup.ts').then((words) => {
      if (!this.#feed) this.tell('error', { error: (this._problem = new UsherError(...say(words))) });
    });
  }

  /** Asks for new numbers now. */
  refresh(): void {
    if (!this.#feed) return this.#start();
    this._busy = true;
    this.#feed.refresh();
  }

  #start(): void {
    this.#feed?.stop();
    this.#feed = undefined;
    this._problem = undefined;
    this.forget();
    clearTimeout(this.#waits);
    if (this._later) return;
    const wrong = this.#wrong();
    if (wrong) return this.#setup((say) => say.unread(wrong, (this as unknown as Record<string, unknown>)[wrong]));
    if (!this.asks()) {
      this.#waits = setTimeout(() => this.#setup((say) => say.missing(this.needs)), late);
      return;
    }
    this._busy = true;
    this.#feed = poll<Settled<Answer>>(
      async (signal) => {
        const answer = await this.ask(await this.#client(), signal);
        return (await this.load()).settled(answer, this.old ? undefined : this._answer);
      },
      {
        next: ({ shown, since, kept, problem, failed }) => {
          this._answer = shown;
          this._since = since;
          this._kept = kept;
          this.old = false;
          this._problem = problem;
          this._busy = false;
          if (!failed[0]) this.tell('load', {});
          for (const detail of failed) this.tell('error', detail);
        },
        error: (problem) => {
          const { code, status } = problem as UsherError;
          // Who has lost access is shown nothing any more, and asks no more.
          if (code === 'UNAUTHENTICATED') this.#feed = undefined;
          if (['UNAUTHENTICATED', 'NO_TOKEN', 'FORBIDDEN', 'NOT_FOUND'].includes(code)) this.forget();
          // Nobody takes old numbers for those of what was chosen, nor for what may be seen no more.
          if (this.old || !this._since || !passes(code, status)) this._answer = undefined;
          this._kept = undefined;
          this._problem = problem;
          this._busy = false;
          this.tell('error', { error: problem });
        },
      },
      (last) => Math.max(this.seconds(), last?.wait ?? 0),
    );
  }

  /** Who asks for this element. */
  async #client(): Promise<Asker> {
    if (this.client) return this.client;
    const { token, tokenUrl } = this;
    const server = this.server || UsherElement.server;
    try {
      if (!/^\s*(https?:|[./])\S*\s*$/i.test(server!)) throw TypeError();
      return (this.#own ??= new Client({ server: server!, token, tokenUrl: tokenUrl && new URL(tokenUrl, document.baseURI) }));
    } catch (error) {
      throw (await import('./setup.ts')).unplaced(error, server, tokenUrl);
    }
  }

  get language(): string {
    return this.locale || document.documentElement.lang || navigator.language;
  }

  /** Tells the page. Whether the page leaves what follows to the element. */
  tell(name: string, detail: unknown): boolean {
    return this.dispatchEvent(new CustomEvent(`usher:${name}`, { detail, bubbles: true, composed: true, cancelable: true }));
  }
}
