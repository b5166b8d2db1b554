// Who this tab is. The token lives in the tab's session storage: not in other
// tabs, not in the address, gone with the tab. While somebody acts as a tenant,
// the token of before is kept beside it.
const key = 'usher.token';
const before = 'usher.token.before';
const tenant = 'usher.tenant';
const owner = 'usher.owner';

export type Ending = 'signedOut' | 'refused' | 'expired';

type Listener = () => void;
const listeners = new Set<Listener>();
let ending: { how: Ending } | undefined;

function changed() {
  for (const listener of listeners) listener();
}

export const session = {
  token: () => sessionStorage.getItem(key) ?? undefined,
  ending: () => ending,
  // tenant is whose users sign in to go on, which is known as long as the tab has been theirs.
  tenant: () => sessionStorage.getItem(tenant) ?? undefined,
  isOf(name: string | null) {
    if (name === null) sessionStorage.removeItem(tenant);
    else sessionStorage.setItem(tenant, name);
  },
  // owner is who is here themselves, also while they act as somebody.
  owner: () => sessionStorage.getItem(owner) ?? undefined,
  ownedBy: (who: string) => sessionStorage.setItem(owner, who),
  start(token: string) {
    ending = undefined;
    for (const name of [before, tenant, owner]) sessionStorage.removeItem(name);
    sessionStorage.setItem(key, token);
    changed();
  },
  // actAs goes on with a token for a while; actNoMore goes back.
  actAs(token: string) {
    sessionStorage.setItem(before, sessionStorage.getItem(key) ?? '');
    sessionStorage.setItem(key, token);
    changed();
  },
  // own is the token of who is here, also while they act as somebody.
  own: () => sessionStorage.getItem(before) || session.token(),
  // is tells whether a token is one that somebody got by signing in.
  is: (token: string | undefined) => token?.startsWith('usher_st_') ?? false,
  acts: () => Boolean(sessionStorage.getItem(before)),
  actNoMore() {
    const own = sessionStorage.getItem(before);
    sessionStorage.removeItem(before);
    if (own) sessionStorage.setItem(key, own);
    changed();
  },
  // end ends what was: an acted session goes back to the one before it.
  end(how: Ending) {
    if (how !== 'signedOut' && session.acts()) {
      session.actNoMore();
      return;
    }
    ending = { how };
    for (const name of [key, before, owner]) sessionStorage.removeItem(name);
    changed();
  },
  subscribe(listener: Listener) {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};
