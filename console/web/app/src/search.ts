const most = 15; // digits of which a number keeps each

// What the address says behind its question mark is text, with all digits of a number; only what has the form of more is more.
export function readSearch(text: string): unknown {
  if (!/^(?:[[{"]|(?:true|false)$)/.test(text)) throw new SyntaxError('text');
  return (JSON.parse as (text: string, reviver: (key: string, value: unknown, context?: { source?: string }) => unknown) => unknown)(text, (_key, value, context) => {
    if (typeof value === 'number' && (context?.source ?? '').replace(/\D/g, '').length > most) throw new SyntaxError('digits');
    return value;
  });
}

// inSearch is a JSON text as what an address says: one that would not be the same again stays text.
export function inSearch(text: string): unknown {
  try {
    const read = readSearch(text);
    return JSON.stringify(read) === text ? read : text;
  } catch {
    return text;
  }
}

export const written = (value: unknown) => (typeof value === 'boolean' ? String(value) : value);
export const text = (value: unknown) => (typeof value === 'string' && value.trim() !== '' ? value : undefined);

// tenantIn is the tenant that an address names. Ids have small letters alone, so whichever letters somebody wrote, that one is meant.
export const tenantIn = (search: object) => text(written('tenant' in search ? search.tenant : undefined))?.trim().toLowerCase();

// On these pages it says whose things are listed.
const lists = /^\/(?:tenants|users|roles|new-role|tokens|keys|audit)(?:\/|$)/;

// invitedTo is the tenant whose address somebody came by.
export const invitedTo = ({ pathname, search }: { pathname: string; search: object }) => (lists.test(pathname) ? undefined : tenantIn(search));
