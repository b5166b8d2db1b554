import { refused } from './refused.js';
import { token } from './token.js';

// root is the path below which the server is published: a proxy may have put
// something before its own paths, or a slash behind this page's.
const root = location.pathname.replace(/\/playground\/*$/, '');

// fetcher sends one operation with the tab's token. An answer that is no JSON
// is shown as the text it is. Whether the token was refused is noted.
export async function fetcher({ query, variables, operationName }) {
  const authorization = token.get() ? { authorization: `Bearer ${token.get()}` } : {};
  const response = await fetch(`${root}/graphql`, {
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
    const answer = JSON.parse(text);
    refused.set([401, 403].includes(response.status) && token.get() ? answer.errors?.[0]?.message : undefined);
    return answer;
  } catch {
    return `${response.status} ${response.statusText}\n${text}`;
  }
}

// loadSamples returns what a demo offers to start with; other servers offer
// nothing.
export async function loadSamples() {
  try {
    const response = await fetch(`${root}/playground/tokens.json`, { cache: 'no-store' });
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
