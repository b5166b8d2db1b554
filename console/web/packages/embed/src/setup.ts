// What to say of an element that the page says too little to. It is loaded when it is needed.
import { UsherError } from '@usher/client';

export function unread(name: string, text: string): UsherError {
  return new UsherError(`The attribute "${name}" is no JSON object: ${text.slice(0, 80)}`, { code: 'SETUP', hint: `Write it as ${name}='{"region": "EU"}', with double quotes inside of single ones.` });
}

export function missing(name: string): UsherError {
  const hint = name === 'name' ? 'Name a dashboard: <usher-dashboard name="sales">.' : 'Give it a question: <usher-chart query="{ … }">.';
  return new UsherError(`The element has no "${name}".`, { code: 'SETUP', hint });
}
