// What to say of an element that the page says too little to. It is loaded when it is needed.
import { UsherError } from '@usher/client';

type Said = ConstructorParameters<typeof UsherError>;

const examples: Record<string, string> = { chart: '{"kind": "bar", "stacked": true}', variables: '{"limit": 10}' };

export function unread(name: string, value: unknown): Said {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return [`The attribute "${name}" is no JSON object: ${text.slice(0, 80)}`, { code: 'SETUP', hint: `Write it as ${name}='${examples[name] ?? '{"region": "EU"}'}', with double quotes inside of single ones.` }];
}

export function missing(name: string): Said {
  const hint = name === 'name' ? 'Name a dashboard: <usher-dashboard name="sales">.' : 'Give it a question: <usher-chart query="{ … }">.';
  return [`The element has no "${name}".`, { code: 'SETUP', hint }];
}

const placed = 'Write where usher is as server="https://usher.example/".';

/** Where nobody can ask, since an address is none. */
export function unplaced(error: unknown, server: string | undefined, tokenUrl: string | undefined): unknown {
  const setup = (text: string, hint?: string) => new UsherError(text, { code: 'SETUP', ...(hint && { hint }) });
  if (!server) return setup('The element does not know where usher is: set its attribute "server".');
  if (!(error instanceof TypeError)) return error;
  const [name, value] = tokenUrl && !URL.canParse(tokenUrl, document.baseURI) ? ['token-url', tokenUrl] : ['server', server];
  return setup(`The attribute "${name}" is no address: ${value.slice(0, 80)}`, name === 'server' ? placed : 'Write it as token-url="/api/usher-token".');
}

/** What is the page's to mend, not the viewer's: that usher is elsewhere, and that a token for dashboards alone does not answer a chart's own question. */
export function asked(error: unknown): unknown {
  if (!(error instanceof UsherError)) return error;
  if (/^The server answered 404/.test(error.message)) return new UsherError('Where this chart asks, there is no usher.', { code: 'SETUP', hint: placed });
  if (error.code !== 'FORBIDDEN' || !/for dashboards only/.test(error.message)) return error;
  return new UsherError('A chart asks a question of its own, and its token is for dashboards only.', {
    code: 'SETUP', requestId: error.requestId,
    hint: 'Give it a token that was made without "dashboards", by a token-url of its own, or show a dashboard.',
  } as ConstructorParameters<typeof UsherError>[1]);
}

/** A chart asks again and again, and nobody means to change something each time: refuses a document with a mutation. */
export function unchanging(query: string): void {
  let text = query.replace(/"""(\\"""|[^])*?"""|"(\\.|[^"\\])*"|#.*/g, '');
  for (let before = ''; before !== text; ) text = (before = text).replace(/\{[^{}]*\}/g, ';'); // what a definition holds
  if (!/(^|;)[\s,]*mutation\b/.test(text)) return;
  throw new UsherError('A chart shows what is, and its "query" is a mutation.', { code: 'SETUP', hint: 'Give it a query, and have the page send what changes something.' });
}
