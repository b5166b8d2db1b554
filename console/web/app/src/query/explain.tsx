// How an answer came to be: sources, statements and why only these rows.
import { Route } from 'lucide-react';
import { t } from '../texts';
import { Empty } from '../ui/state';
import '../styles/explain.css';

export interface Explained {
  path: (string | number)[];
  strategy?: string;
  how?: string;
  targets?: { source: string; kind: string }[];
  levels?: { references?: { name: string; dataset: string; source: string; confined: string; scope?: string[] }[] }[];
  steps?: { source?: string; sql?: string; call?: string; method?: string; path?: string; rows?: number; ms?: number }[];
  rows?: number;
  cached?: boolean;
  coalesced?: boolean;
  timings?: Record<string, number>;
}

export function Explain({ explained, asked = true }: { explained: Explained[] | undefined; asked?: boolean }) {
  if (!explained?.length) {
    return (
      <Empty icon={Route} title={t.query.explain}>
        {asked ? t.query.notExplained : t.query.notAsked}
      </Empty>
    );
  }
  return (
    <div className="explained" tabIndex={0} role="group" aria-label={t.query.how}>
      {explained.map((one, index) => (
        <section key={index}>
          <h3 className="row">
            <code>{one.path.join('.')}</code>
            {one.strategy && <span className="badge">{one.strategy}</span>}
            {one.how && <span className="badge good">{one.how}</span>}
            {one.cached && <span className="badge">cached</span>}
            {one.coalesced && <span className="badge">coalesced</span>}
          </h3>
          {one.timings && (
            <dl className="facts">
              {Object.entries(one.timings).map(([name, ms]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd className="numbers">{t.query.timing(ms)}</dd>
                </div>
              ))}
            </dl>
          )}
          {one.steps?.map((step, at) => (
            <figure key={at}>
              <figcaption className="row">
                <span className="badge">{step.source ?? t.query.engine}</span>
                {step.rows !== undefined && (
                  <span className="muted tiny numbers">
                    {t.count(step.rows, 'row', 'rows')}
                  </span>
                )}
                {step.ms !== undefined && <span className="muted tiny numbers">{t.query.timing(step.ms)}</span>}
              </figcaption>
              <pre>{step.sql ?? step.call ?? [step.method, step.path].filter(Boolean).join(' ')}</pre>
            </figure>
          ))}
          <h4>{t.query.confined}</h4>
          <ul>
            {one.levels
              ?.flatMap((level) => level.references ?? [])
              .map((reference, at) => (
                <li key={at}>
                  <code>{reference.dataset}</code> <span className="muted">{reference.confined}</span>
                  {reference.scope?.map((scope) => (
                    <code key={scope} className="scope">
                      {scope}
                    </code>
                  ))}
                </li>
              ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
