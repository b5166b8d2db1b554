// The states that every page has: loading, empty, failed.
import { CircleAlert, type LucideIcon } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { Failure } from '../api';
import { t } from '../texts';
import { Button } from './controls';

// Loading shows itself after 300 ms only: what is quicker would flicker.
export function Loading({ label = t.loading }: { label?: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="blocks" role="status" aria-label={label}>
      {late && (
        <>
          <span />
          <span />
          <span />
        </>
      )}
    </div>
  );
}

export function Empty({ icon: Icon, title, children, action }: { icon: LucideIcon; title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className="state">
      <span className="mark">
        <Icon size={20} aria-hidden />
      </span>
      <h2>{title}</h2>
      <p>{children}</p>
      {action && <div className="do">{action}</div>}
    </div>
  );
}

export function Failed({ error, retry, title = t.errors.title }: { error: unknown; retry?: () => void; title?: string }) {
  const failure = error instanceof Failure ? error : undefined;
  return (
    <div className="state failed" role="alert">
      <span className="mark">
        <CircleAlert size={20} aria-hidden />
      </span>
      <h2>{title}</h2>
      <p>{failure?.message ?? t.errors.pageWords}</p>
      {retry && (
        <div className="do">
          <Button onPress={retry}>{t.tryAgain}</Button>
        </div>
      )}
      {failure?.requestId && (
        <details>
          <summary>{t.details}</summary>
          {failure.code} · {t.requestId} <code>{failure.requestId}</code>
        </details>
      )}
    </div>
  );
}

interface Result<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
}

// Loaded shows what was asked for, or the state it is in.
export function Loaded<T>({ of, children }: { of: Result<T>; children: (data: T) => ReactNode }) {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error) return <Failed error={of.error} retry={() => void of.refetch()} />;
  return <Loading />;
}
