// How usher is: sources, the last hour, and what the configuration's writer should know.
import { useQuery } from '@tanstack/react-query';
import { CircleAlert, Info } from 'lucide-react';
import { admin } from '../admin/common';
import { useMe } from '../me';
import { t } from '../texts';
import { classes } from '../ui/controls';
import { when, When } from '../ui/page';
import { Loaded } from '../ui/state';

interface Health {
  version: string;
  startedAt: string;
  requests: number;
  errors: number;
  minutes: { at: string; requests: number; errors: number }[];
  sources: { name: string; kind: string | null; status: 'UP' | 'UNREACHED' | 'FAILING'; answeredAt: string | null; failedAt: string | null; code: string | null }[];
  unfit: string[];
}

interface Findings {
  problems: string[];
  notes: string[];
}

export function HealthCards() {
  const me = useMe();
  const health = useQuery({
    queryKey: ['health'],
    refetchInterval: 60_000,
    queryFn: () => admin<Health>('{ admin { it: health { version startedAt requests errors minutes { at requests errors } sources { name kind status answeredAt failedAt code } unfit } } }'),
  });
  return (
    <>
      <section className="card" aria-label={t.health.hour}>
        <header>
          <div>
            <h2>{t.health.hour}</h2>
            <p>{me.allTenants ? t.health.hourWords : t.health.hourOfTenant}</p>
          </div>
        </header>
        <Loaded of={health}>
          {(now) => (
            <div className="body">
              <div className="figures">
                <div>
                  <span className="figure numbers">{now.requests.toLocaleString('en')}</span>
                  <span className="muted small">{t.health.requests}</span>
                </div>
                <div>
                  <span className="figure numbers">{now.errors.toLocaleString('en')}</span>
                  <span className="muted small">{t.health.errors}</span>
                </div>
                <Minutes minutes={now.minutes} />
              </div>
              <p className="muted tiny">
                usher {now.version} · {t.health.since(when(now.startedAt) ?? '')}
              </p>
            </div>
          )}
        </Loaded>
      </section>
      <section className="card" aria-label={t.health.sources}>
        <header>
          <div>
            <h2>{t.health.sources}</h2>
            <p>{t.health.sourcesWords}</p>
          </div>
        </header>
        <Loaded of={health}>
          {(now) => now.sources.length === 0 ? <p className="body muted">{t.health.noSources}</p> : (
            <ul className="sources">
              {now.sources.map((source) => (
                <li key={source.name}>
                  <span className="lead break">
                    {source.name} {source.kind && <span className="muted tiny">{source.kind}</span>}
                  </span>
                  <span className="row">
                    {source.status !== 'UP' && (
                      <span className="muted tiny">
                        {source.code} <When at={source.failedAt} otherwise="" />
                      </span>
                    )}
                    {unasked(source) ? <span className="badge">{t.health.unasked}</span> : <span className={`badge ${source.status === 'UP' ? 'good' : 'bad'}`}>{t.health.statuses[source.status]}</span>}
                  </span>
                </li>
              ))}
              {now.unfit.map((dataset) => (
                <li key={`unfit ${dataset}`}>
                  <span className="lead break">{dataset}</span>
                  <span className="badge bad">{t.health.unfit}</span>
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      </section>
      {me.has('AdminQuery.findings') && <FindingsCard />}
    </>
  );
}

// unasked is a source of which nobody knows whether it answers; who administers one tenant is not told.
const unasked = ({ status, kind, answeredAt }: Health['sources'][number]) => status === 'UP' && kind !== null && answeredAt === null;

function FindingsCard() {
  const findings = useQuery({ queryKey: ['findings'], queryFn: () => admin<Findings>('{ admin { it: findings { problems notes } } }') });
  return (
    <section className="card" aria-label={t.health.findings}>
      <header>
        <div>
          <h2>{t.health.findings}</h2>
          <p>{t.health.findingsWords}</p>
        </div>
      </header>
      <Loaded of={findings}>
        {({ problems, notes }) => (
          <div className="body stack">
            {problems.length + notes.length === 0 && <p className="muted">{t.health.noFindings}</p>}
            {alike(problems).map((texts) => (
              <Kind key={texts[0]} texts={texts} bad />
            ))}
            {alike(notes).map((texts) => (
              <Kind key={texts[0]} texts={texts} />
            ))}
          </div>
        )}
      </Loaded>
    </section>
  );
}

// alike puts those together that say the same of other names: what stands before the first ": ", and what looks like a name or a number.
function alike(texts: string[]): string[][] {
  const kinds = new Map<string, string[]>();
  for (const text of texts) {
    const [, place = '', words = text] = /^(\S*[.:]\S*?): (.*)$/s.exec(text) ?? [];
    const names = new Set(place.split(/[.:/]/));
    const kind = words.replaceAll(/[\w$]+(?:[._-][\w$]+)*/g, (word) => (names.has(word) || /[\d._]/.test(word) ? '…' : word));
    kinds.set(kind, [...(kinds.get(kind) ?? []), text]);
  }
  return [...kinds.values()];
}

const few = 3;

// Kind is findings of one kind: the first few, and the others when they are asked for.
function Kind({ texts, bad }: { texts: string[]; bad?: boolean }) {
  const Icon = bad ? CircleAlert : Info;
  return (
    <div className={classes('note', 'kind', bad && 'bad')}>
      <Icon size={16} aria-hidden />
      <div>
        {texts.slice(0, few).map((text) => (
          <p key={text}>{text}</p>
        ))}
        {texts.length > few && (
          <details>
            <summary>{t.health.more(texts.length - few)}</summary>
            <ul tabIndex={0} aria-label={t.health.findings}>
              {texts.slice(few).map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </div>
  );
}

// Minutes draws the requests of each minute, errors below in another color.
function Minutes({ minutes }: { minutes: Health['minutes'] }) {
  const most = Math.max(1, ...minutes.map(({ requests }) => requests));
  const height = (n: number) => (n === 0 ? 0 : Math.max(2, (n / most) * 44));
  return (
    <svg className="minutes" viewBox={`0 0 ${minutes.length * 5} 48`} preserveAspectRatio="none" role="img" aria-label={t.health.drawing(minutes.reduce((sum, { requests }) => sum + requests, 0))}>
      {minutes.map(({ at, requests, errors }, index) => (
        <g key={at}>
          <rect className="all" x={index * 5} y={48 - height(requests)} width={4} height={height(requests)} />
          <rect className="wrong" x={index * 5} y={48 - height(errors)} width={4} height={height(errors)} />
        </g>
      ))}
    </svg>
  );
}
