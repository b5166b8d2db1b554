// What the address says behind its question mark is text, with all digits of a number; only what has the form of more is more.
export function readSearch(text: string): unknown {
  if (!/^(?:[[{"]|(?:true|false)$)/.test(text)) throw new SyntaxError('text');
  return JSON.parse(text);
}

export const written = (value: unknown) => (typeof value === 'boolean' ? String(value) : value);
export const text = (value: unknown) => (typeof value === 'string' && value.trim() !== '' ? value : undefined);

// tenantIn is the tenant whose address somebody came by.
export const tenantIn = (search: object) => text(written('tenant' in search ? search.tenant : undefined))?.trim();
