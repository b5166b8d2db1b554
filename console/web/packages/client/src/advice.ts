// What to say of an answer that holds no token. It is loaded when it is needed, which is while a page is being set up.
import type { UsherError } from './error.ts';

const patience = 30; // seconds until somebody asks again who got no token

type Said = ConstructorParameters<typeof UsherError>;

const form = 'It has to answer {"token": "…", "expiresAt": "…"}, or the token as text.';

export function noToken(url: string | URL, response: Response | undefined, text: string): Said {
  if (!response) return ['The page could not ask for a token.', { code: 'NETWORK', retryAfter: patience }];
  const { status } = response;
  if (status === 401 || status === 403) return ['You are no longer signed in.', { code: 'UNAUTHENTICATED', status }];
  if (status >= 500) return [`The page got no token: its backend answered ${status}.`, { code: 'UNAVAILABLE', status, retryAfter: patience }];
  const path = new URL(url, response.url || globalThis.document?.baseURI).pathname;
  const none = (what: string, hint: string): Said => [`${path} ${what}.`, { code: 'NO_TOKEN', status, hint, retryAfter: patience }];
  if (!response.ok) return none(`answered ${status}`, 'Does the page name the right token-url, and does it take POST?');
  if (text.startsWith('<')) return none('answered a page and no token', 'Perhaps it is a form to sign in, or another route than token-url should name.');
  if (!text.startsWith('{')) return none('answered no token', form);
  try {
    JSON.parse(text);
  } catch {
    return none('answered no JSON', form);
  }
  return none('answered without a token', 'Hand on what createToken answered: {"token": "…", "expiresAt": "…"}. Did it answer errors?');
}

// lost is what is said where a token has ended and there is no other: what was shown with it is for nobody to see
// any more, whatever keeps the next one from coming.
export function lost({ message, hint, status, retryAfter = patience }: Partial<UsherError>): Said {
  return [message ?? '', { code: 'NO_TOKEN', retryAfter, ...(hint && { hint }), ...(status && { status }) }];
}
