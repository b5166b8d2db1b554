// Names of dashboards and ids of tiles, which have one form.
export const isName = (text: string) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text);

// nameOf is the name that a title suggests; of some scripts there is none.
export const nameOf = (title: string) =>
  title
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, 60)
    .replace(/-$/, '');

const most = 255; // bytes of a title

export const tooLong = (title: string) => new TextEncoder().encode(title.trim()).length > most;
