import { readDigits } from './digits';

// What the address says behind its question mark is text, with all digits of a number; only what has the form of more is more.
export function readSearch(text: string): unknown {
  if (!/^(?:[[{"]|(?:true|false)$)/.test(text)) throw new SyntaxError('text');
  return readDigits(text, () => {
    throw new SyntaxError('digits');
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
