// The way to usher: one typed fetch of one GraphQL operation.
import { server } from './base';
import { session } from './session';
import { t } from './texts';

// Failure is what went wrong, in words for people.
export class Failure extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly requestId?: string,
    readonly retryable = true,
  ) {
    super(message);
  }
}

interface Answer {
  data?: unknown;
  errors?: { message: string; path?: (string | number)[]; extensions?: { code?: string; requestId?: string } }[];
}

// send asks with the tab's token or another one and returns what came, unread.
export async function send(body: string, token: string | undefined = session.token(), signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(server('graphql'), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json;q=0.9',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body,
      signal,
      credentials: 'omit',
      cache: 'no-store',
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failure(t.errors.unreachable, 'UNREACHABLE');
  }
}

// given leaves the variables out of an operation that are undefined: a mutation that
// names one without a value is refused.
function given(query: string, variables: Record<string, unknown> = {}): string {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) query = query.replace(new RegExp(`\\$${name}: [\\w[\\]!]+(, )?|\\w+: \\$${name}\\b(, )?`, 'g'), '');
  }
  return query.replaceAll('()', '');
}

// Written is a variable that goes out as the JSON it is, with all digits of its numbers.
export class Written {
  constructor(readonly json: string) {}
}

function body(query: string, variables: Record<string, unknown> = {}): string {
  const said = Object.entries(variables).filter(([, value]) => value !== undefined);
  const values = said.map(([name, value]) => `${JSON.stringify(name)}:${value instanceof Written ? value.json : JSON.stringify(value)}`);
  return `{"query":${JSON.stringify(given(query, variables))},"variables":{${values.join(',')}}}`;
}

// ask returns the data of one operation, or throws a Failure: of the first error,
// if any. A refused token ends the session, unless another one was given.
export async function ask<T>(query: string, variables?: Record<string, unknown>, other?: { token: string }): Promise<T> {
  return (await askExactly<T>(query, variables, other)).data;
}

// askExactly also returns the answer as it was written.
export async function askExactly<T>(query: string, variables?: Record<string, unknown>, other?: { token: string }): Promise<{ data: T; text: string }> {
  const response = await send(body(query, variables), other?.token);
  const requestId = response.headers.get('x-request-id') ?? undefined;
  let answer: Answer;
  let text: string;
  try {
    text = await response.text();
    answer = JSON.parse(text) as Answer;
  } catch {
    throw new Failure(t.errors.noJSON(response.status), 'NO_JSON', requestId);
  }
  const first = answer.errors?.[0];
  if (response.status === 401 && !other && session.token()) session.end('refused');
  if (first || !answer.data) {
    throw new Failure(first?.message ?? t.errors.noJSON(response.status), first?.extensions?.code ?? String(response.status), requestId, response.status >= 500 || response.status === 429);
  }
  return { data: answer.data as T, text };
}

// get asks for something beside /graphql, such as a dashboard.
export async function get<T>(path: string, token: string | undefined = session.token()): Promise<T> {
  const response = await fetch(server(path), { headers: { authorization: `Bearer ${token ?? ''}` }, credentials: 'omit', cache: 'no-store' }).catch(() => {
    throw new Failure(t.errors.unreachable, 'UNREACHABLE');
  });
  const requestId = response.headers.get('x-request-id') ?? undefined;
  const answer = (await response.json().catch(() => ({}))) as Answer & T;
  if (!response.ok) throw new Failure(answer.errors?.[0]?.message ?? t.errors.noJSON(response.status), answer.errors?.[0]?.extensions?.code ?? String(response.status), requestId);
  return answer;
}
