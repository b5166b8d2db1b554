// The frame of a page: title, a muted line below, what can be done.
import { useEffect, useRef, type ReactNode } from 'react';
import { classes } from './controls';
import { locale, t } from '../texts';

export function Page({ title, lead, actions, full, children }: { title: string; lead?: ReactNode; actions?: ReactNode; full?: boolean; children: ReactNode }) {
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${title} · ${t.brand}`;
  }, [title]);
  return (
    <main id="content" ref={main} tabIndex={-1} className={classes('page', full && 'full')}>
      <div className="page-head">
        <div>
          <h1>{title}</h1>
          {lead && <p>{lead}</p>}
        </div>
        {actions && <div className="do">{actions}</div>}
      </div>
      {children}
    </main>
  );
}

export const when = (text: string | null | undefined, exactly = false) => {
  if (!text) return undefined;
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: exactly ? 'medium' : 'short' }).format(date);
};

export function When({ at, otherwise = t.none, exactly }: { at: string | null | undefined; otherwise?: string; exactly?: boolean }) {
  return at ? (
    <time dateTime={at} title={at}>
      {when(at, exactly)!.split(/(?<=,) /).map((part, i) => [i > 0 && ' ', <span key={part}>{part}</span>])}
    </time>
  ) : (
    <span className="muted">{otherwise}</span>
  );
}
