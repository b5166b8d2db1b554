// The elements of embed.js in the console: the very file that other pages load.
import { useQuery } from '@tanstack/react-query';
import { CircleAlert } from 'lucide-react';
import { useEffect, useMemo, useRef, useSyncExternalStore, type ReactNode } from 'react';
import { server } from './base';
import { Failure } from './api';
import { none, useChosen, type Values } from './chosen';
import { readDigits } from './digits';
import { session } from './session';
import { locale, t } from './texts';
import { theme } from './theme';
import { Failed, Loading } from './ui/state';

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'usher-dashboard': React.DetailedHTMLProps<React.HTMLAttributes<HTMLElement>, HTMLElement> & { name: string; server: string; token: () => string; theme: string; locale: string; chosen: Values };
      'usher-chart': React.DetailedHTMLProps<React.HTMLAttributes<HTMLElement>, HTMLElement> & {
        query: string | undefined;
        variables?: Record<string, unknown>;
        client?: unknown;
        chart: unknown;
        kind?: string;
        heading?: string | undefined;
        description?: string | undefined;
        exact?: boolean | undefined;
        server: string;
        token?: () => string;
        theme: string;
        locale: string;
      };
    }
  }
}

export const elementsQuery = {
  queryKey: ['embed.js'],
  staleTime: Infinity,
  retry: false,
  queryFn: async () => {
    try {
      return (await import(/* @vite-ignore */ server('embed.js'))) as { parse: (text: string) => Promise<unknown> };
    } catch {
      throw new Failure(t.dashboards.noElements, 'UNREACHABLE');
    }
  },
};

export const root = server('').replace(/\/$/, '');

// EmbeddedChart is one tile as it will be drawn, with the numbers of whoever looks.
export function EmbeddedChart({ query, variables, chart, title, description }: { query: string | undefined; variables: Record<string, unknown>; chart: object; title: string | undefined; description: string | undefined }): ReactNode {
  const elements = useQuery(elementsQuery);
  const chosen = useSyncExternalStore(theme.subscribe, theme.get);
  const token = useMemo(() => () => session.token() ?? '', []);
  const [values, drawn] = [JSON.stringify(variables), JSON.stringify(chart)];
  // The same as long as they say the same: others would be asked anew.
  const given = useMemo(() => readDigits(values) as Record<string, unknown>, [values]);
  const as = useMemo(() => JSON.parse(drawn) as object, [drawn]);
  if (elements.error) return <Failed error={elements.error} />;
  if (elements.data === undefined) return <Loading />;
  return <usher-chart query={query} variables={given} chart={as} heading={title} description={description} server={root} token={token} theme={chosen} locale={locale} />;
}

// EmbeddedDashboard is a dashboard as pages show it. What is chosen is the text of an address, where there is one.
export function EmbeddedDashboard({ name, token: given, onRefused, chosen = none, onChosen = () => {} }: { name: string; token?: string; onRefused?: () => void; chosen?: string; onChosen?: (text: string) => void }): ReactNode {
  const elements = useQuery(elementsQuery);
  const look = useSyncExternalStore(theme.subscribe, theme.get);
  const { values, stale, hears } = useChosen(elements.data?.parse, chosen, onChosen);
  const host = useRef<HTMLDivElement>(null);
  const ready = elements.data !== undefined && values !== undefined;
  const told = useRef({ onRefused, hears });
  told.current = { onRefused, hears };
  // Another function would be another caller, and nothing would be kept.
  const token = useMemo(() => () => given ?? session.token() ?? '', [given]);

  useEffect(() => {
    const node = host.current;
    if (!node || !ready) return;
    const heard = (event: Event) => told.current.hears(event);
    const events = ['usher:change', 'usher:load', 'usher:error'];
    for (const event of events) node.addEventListener(event, heard);
    return () => {
      for (const event of events) node.removeEventListener(event, heard);
    };
  }, [ready]);

  useEffect(() => {
    const node = host.current;
    if (!node || !ready || given !== undefined) return;
    const failed = (event: Event) => {
      const { error } = (event as CustomEvent<{ error?: { code?: string; message?: string } }>).detail;
      if (error?.code === 'UNAUTHENTICATED') session.end('refused');
      if (error?.code === 'FORBIDDEN' && event.target === node.lastElementChild && !('tile' in (event as CustomEvent<object>).detail)) told.current.onRefused?.();
    };
    node.addEventListener('usher:error', failed);
    return () => node.removeEventListener('usher:error', failed);
  }, [ready, given]);

  if (elements.error) return <Failed error={elements.error} retry={() => location.reload()} />;
  if (!ready) return <Loading />;
  return (
    <div className="board-body" ref={host}>
      {stale.length > 0 && (
        <p className="note warn" role="status">
          <CircleAlert size={16} aria-hidden />
          <span className="break">{stale.includes('') ? t.dashboards.staleAll : t.dashboards.stale(stale.join(', '))}</span>
        </p>
      )}
      <usher-dashboard name={name} server={root} token={token} theme={look} locale={locale} chosen={values} />
    </div>
  );
}
