/** What usher says of one failure; see its errors.md. */
export interface Failure {
  message: string;
  path?: (string | number)[];
  extensions?: { code?: string; hint?: string; requestId?: string; retryAfter?: number };
}

/** A request that has no answer: `code` is usher's, or NETWORK when nobody answered, NO_TOKEN when the page got none, SETUP when it says too little. */
export class UsherError extends Error {
  /** Also of another copy of this package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'UsherError';
  }

  readonly code: string;
  readonly hint: string | undefined;
  readonly requestId: string | undefined;
  readonly status: number | undefined;
  /** Seconds after which the same request may succeed. */
  readonly retryAfter: number | undefined;

  constructor(message: string, more: { code?: string; hint?: string; requestId?: string; status?: number; retryAfter?: number } = {}) {
    super(message);
    this.code = more.code ?? 'INTERNAL';
    this.hint = more.hint;
    this.requestId = more.requestId;
    this.status = more.status;
    this.retryAfter = more.retryAfter;
  }

  static of(failure: Failure | undefined, response?: Response): UsherError {
    const { code, hint, requestId, retryAfter } = failure?.extensions ?? {};
    const seconds = Number(response?.headers.get('Retry-After') ?? Number.NaN);
    return new UsherError(failure?.message ?? `The server answered ${response?.status ?? 'nothing'}.`, {
      code: code ?? (response?.status === 401 ? 'UNAUTHENTICATED' : response?.status === 404 ? 'NOT_FOUND' : undefined),
      hint,
      requestId: requestId ?? response?.headers.get('X-Request-Id') ?? undefined,
      status: response?.status,
      retryAfter: retryAfter === undefined ? (Number.isFinite(seconds) ? seconds : undefined) : Number(retryAfter),
    } as ConstructorParameters<typeof UsherError>[1]);
  }

  /** Of the prototype, which a stack is written after. */
  override get name(): string {
    return 'UsherError';
  }

  /** Whether asking again with the same token is of no use: it has ended, or was revoked. */
  get ended(): boolean {
    return this.code === 'UNAUTHENTICATED';
  }
}
