// Who is asking, for every page below the shell.
import { createContext, useContext } from 'react';
import type { Me } from './viewer';

export const MeContext = createContext<Me | null>(null);

export function useMe(): Me {
  const me = useContext(MeContext);
  if (!me) throw new Error('no page stands outside of the shell');
  return me;
}
