import { token } from './token.js';

// fetcher sends one operation with the tab's token. An answer that is no JSON
// is shown as the text it is.
export async function fetcher({ query, variables, operationName }) {
  const authorization = token.get() ? { authorization: `Bearer ${token.get()}` } : {};
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json;q=0.9',
      ...authorization,
    },
    body: JSON.stringify({ query, variables, operationName: within(query, operationName) }),
    credentials: 'omit',
    cache: 'no-store',
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return `${response.status} ${response.statusText}\n${text}`;
  }
}

// loadSamples returns what a demo offers to start with; other servers offer
// nothing.
export async function loadSamples() {
  try {
    const response = await fetch('/playground/tokens.json', { cache: 'no-store' });
    if (!response.ok) return { tokens: [], queries: [] };
    const { tokens = [], queries = [] } = await response.json();
    return { tokens, queries };
  } catch {
    return { tokens: [], queries: [] };
  }
}

// The editor may still hold the name of the operation that stood there before:
// a name that the document lacks would be refused, so it is left out.
function within(query, name) {
  return name && new RegExp(`\\b(query|mutation|subscription)\\s+${name}\\b`).test(query) ? name : undefined;
}
