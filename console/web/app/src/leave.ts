// Leaving: signing out, which is of all tabs in which this browser has the same user. What the browser keeps of them goes,
// and a tab that stayed open does not write it again.
import { useEffect } from 'react';
import { ask } from './api';
import { drafts } from './drafts';
import { forget } from './query/store';
import { session } from './session';
import type { Me } from './viewer';

const tabs = new BroadcastChannel('usher.leave');

// ownersOf are all whose things this tab keeps: who acts as somebody is also who they are themselves.
const ownersOf = (me?: Me) => [me?.owner, session.owner()].filter((owner) => owner !== undefined);

// ended ends the sessions of this tab. A token of an issuer goes on until it expires.
const ended = () =>
  Promise.all([...new Set([session.token(), session.own()])].map((token) => session.is(token) && ask('mutation { logout }', undefined, { token: token! }).catch(() => undefined)));

function gone(owners: string[]) {
  for (const owner of owners) forget({ owner });
  session.end('signedOut');
}

export async function leave(me: Me) {
  const owners = ownersOf(me);
  await ended();
  drafts.only();
  gone(owners);
  if (!me.only) tabs.postMessage(owners); // tokens for dashboards alone are nobody's
}

export async function leaveEverywhere(me: Me) {
  await ask('mutation { logoutEverywhere }');
  await leave(me);
}

// useOthersLeaving leaves with whoever leaves in another tab. What is not saved here stays, for the same user in this tab only.
export function useOthersLeaving(me: Me | undefined) {
  useEffect(() => {
    const heard = ({ data }: MessageEvent<string[]>) => {
      const owners = ownersOf(me);
      if (!owners.some((owner) => data.includes(owner))) return;
      void ended();
      gone(owners); // at once: another person may be looking
    };
    tabs.addEventListener('message', heard);
    return () => tabs.removeEventListener('message', heard);
  }, [me]);
}
