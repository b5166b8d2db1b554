// The elements of embed.js in the console: the very file that other pages load.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useSyncExternalStore, type ReactNode } from 'react';
import { server } from './base';
import { Failure } from './api';
import { session } from './session';
import { t } from './texts';
import { theme } from './theme';
import { Failed, Loading } from './ui/state';

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'usher-dashboard': React.DetailedHTMLProps<React.HTMLAttributes<HTMLElement>, HTMLElement> & { name: string; server: string; token: () => string; theme: string; locale: string };
    }
  }
}

const elementsQuery = {
  queryKey: ['embed.js'],
  staleTime: Infinity,
  retry: false,
  queryFn: async () => {
    try {
      await import(/* @vite-ignore */ server('embed.js'));
      return true;
    } catch {
      throw new Failure(t.dashboards.noElements, 'UNREACHABLE');
    }
  },
};

const root = server('').replace(/\/$/, '');

export function EmbeddedDashboard({ name }: { name: string }): ReactNode {
  const elements = useQuery(elementsQuery);
  const chosen = useSyncExternalStore(theme.subscribe, theme.get);
  const host = useRef<HTMLDivElement>(null);
  const ready = elements.data !== undefined;
  // Another function would be another caller, and nothing would be kept.
  const token = useMemo(() => () => session.token() ?? '', []);

  useEffect(() => {
    const node = host.current;
    if (!node || !ready) return;
    const failed = (event: Event) => {
      const { error } = (event as CustomEvent<{ error?: { code?: string; message?: string } }>).detail;
      if (error?.code === 'UNAUTHENTICATED') session.end('refused', error.message);
    };
    node.addEventListener('usher:error', failed);
    return () => node.removeEventListener('usher:error', failed);
  }, [ready]);

  if (elements.error) return <Failed error={elements.error} retry={() => location.reload()} />;
  if (!ready) return <Loading />;
  return (
    <div className="board-body" ref={host}>
      <usher-dashboard name={name} server={root} token={token} theme={chosen} locale="en" />
    </div>
  );
}
