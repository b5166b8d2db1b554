// Entering: going on in this tab as whoever a token is.
import type { QueryClient } from '@tanstack/react-query';
import { ask } from './api';
import { session } from './session';
import { whoIs, type Me } from './viewer';

// enter goes on with a token once it is accepted. The session that it takes the place of ends: nobody comes back to
// it. With it would end what has been made with it, such as an embed token that is tried out.
export async function enter(token: string, client: QueryClient): Promise<Me> {
  const me = await whoIs(token);
  const former = session.own();
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'demo' && queryKey[0] !== 'login' });
  session.start(token);
  const made = me.tokenKind === 'EMBED' || me.acting !== null;
  if (former && former !== token && session.is(former) && !made) void ask('mutation { logout }', undefined, { token: former }).catch(() => undefined);
  return me;
}
