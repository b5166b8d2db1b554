// What to say of an element that the page says too little to. It is loaded when it is needed.
import type { UsherError } from '@usher/client';

type Said = ConstructorParameters<typeof UsherError>;

export function unread(name: string, value: unknown): Said {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return [`The attribute "${name}" is no JSON object: ${text.slice(0, 80)}`, { code: 'SETUP', hint: `Write it as ${name}='{"region": "EU"}', with double quotes inside of single ones.` }];
}

export function missing(name: string): Said {
  const hint = name === 'name' ? 'Name a dashboard: <usher-dashboard name="sales">.' : 'Give it a question: <usher-chart query="{ … }">.';
  return [`The element has no "${name}".`, { code: 'SETUP', hint }];
}
