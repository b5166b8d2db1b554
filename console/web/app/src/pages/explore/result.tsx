// What came: as a chart and as a table, how it came to be, and as text.
import { useQuery } from '@tanstack/react-query';
import { ChartArea, ChartColumn, ChartLine, ChartPie, ChartScatter, CircleAlert, Donut, Grid3x3, Hash, Info, SearchX, Table2, TableProperties, Wand, type LucideIcon } from 'lucide-react';
import { useEffect, useMemo, useSyncExternalStore, type ReactNode } from 'react';
import { server } from '../../base';
import { Explain } from '../../query/explain';
import { locale, t } from '../../texts';
import { theme } from '../../theme';
import { Button, classes } from '../../ui/controls';
import { Empty, Failed, Loading } from '../../ui/state';
import { elementsQuery, Refused, useAnswer, useLate, type Came } from './asked';
import { about, chartOf, kinds, label, leftOut, suits, type Chart, type Compiled } from './compile';
import { Differences } from './differences';
import type { Eyes } from './eyes';
import type { Models } from './model';
import type { State } from './state';

const icons: Record<string, LucideIcon> = { table: Table2, number: Hash, line: ChartLine, area: ChartArea, bar: ChartColumn, pie: ChartPie, donut: Donut, scatter: ChartScatter, heatmap: Grid3x3, pivot: TableProperties };

export function Kinds({ state, kind, change }: { state: State; kind: string | undefined; change: (chart: State['chart']) => void }) {
  const fit = suits(state);
  return (
    <div className="segments icons" role="group" aria-label={t.explore.chart}>
      {kinds
        .filter((one) => fit.has(one))
        .map((one) => {
          const Icon = icons[one]!;
          return (
            <Button key={one} small icon aria-label={t.explore.kinds[one]} aria-pressed={kind === one} onPress={() => change({ ...state.chart, kind: one })}>
              <Icon size={16} aria-hidden />
            </Button>
          );
        })}
      {state.chart.kind && (
        <Button small icon look="quiet" aria-label={t.explore.choosesItself} onPress={() => change({ ...state.chart, kind: undefined })}>
          <Wand size={14} aria-hidden />
        </Button>
      )}
    </div>
  );
}

// Drawn shows rows that came already: the element is given a client that has them.
function Drawn({ came, chart, heading, exact }: { came: Came; chart: Chart; heading?: string; exact?: boolean }) {
  const chosen = useSyncExternalStore(theme.subscribe, theme.get);
  const client = useMemo(() => ({ query: () => Promise.resolve(came.result) }), [came]);
  const given = useMemo(() => chart, [JSON.stringify(chart)]); // eslint-disable-line react-hooks/exhaustive-deps
  return <usher-chart query="{ given }" client={client} chart={given} kind={chart.kind} heading={heading} exact={exact} server={server('').replace(/\/$/, '')} theme={chosen} locale={locale} />;
}

export type View = 'answer' | 'how' | 'text';

interface Props {
  state: State;
  models: Models;
  compiled: Compiled;
  panes: (Eyes | undefined)[];
  explain: boolean;
  view: View;
  rows: { current: readonly unknown[] };
  change: (chart: State['chart']) => void;
  tell: (busy: boolean, words: ReactNode, kind: string | undefined) => ReactNode;
}

export function Results({ state, models, compiled, panes, explain, view, rows, change, tell }: Props) {
  const elements = useQuery(elementsQuery);
  const question = (eyes: Eyes | undefined) => ({ query: compiled.query, field: compiled.field, explain: explain && eyes === undefined, eyes: eyes && { id: eyes.id, token: eyes.token } });
  const first = useAnswer(elements.data, question(panes[0]));
  const second = useAnswer(elements.data, panes.length > 1 ? question(panes[1]) : undefined);
  const answers = panes.length > 1 ? [first, second] : [first];
  const busy = answers.some(({ isFetching }) => isFetching);
  const late = useLate(busy);
  const [a, b] = answers.map(({ data, error, isPlaceholderData }) => (error || isPlaceholderData ? undefined : data));
  const one = panes.length === 1 && first.data && !first.error ? first.data : undefined;
  const kind = first.data && chartOf(state, models, compiled, first.data.rows).kind;
  useEffect(() => {
    if (one) rows.current = one.rows;
  }, [one, rows]);
  if (elements.error) return <Failed error={elements.error} retry={() => location.reload()} />;
  return (
    <>
      {tell(late, one && `${t.explore.came(one.rows.length)} · ${t.query.timing(one.ms)}`, kind)}
      <div className={classes('panes', panes.length > 1 && 'two')} aria-busy={busy}>
        {answers.map((answer, index) => {
          const eyes = panes[index];
          return (
            <div key={eyes?.id ?? 'own'} className={classes('pane-of', answer.isFetching && late && 'stale')}>
              {panes.length > 1 && <Whose eyes={eyes} came={answer.data} />}
              {answer.error ? <Problem error={answer.error} eyes={eyes} retry={() => void answer.refetch()} /> : answer.data ? <Shown came={answer.data} {...{ state, models, compiled, view, change }} mine={eyes === undefined} explain={explain} /> : <div className="card"><Loading /></div>}
            </div>
          );
        })}
      </div>
      {a && b && view === 'answer' && <Differences a={a} b={b} names={panes.map((eyes) => eyes?.name ?? t.explore.you)} compiled={compiled} />}
    </>
  );
}

function Whose({ eyes, came }: { eyes: Eyes | undefined; came: Came | undefined }) {
  const strategy = came?.explained?.[0]?.strategy ?? eyes?.strategy;
  return (
    <h2 className="whose">
      <span className="truncate">{eyes?.name ?? t.explore.you}</span>
      <span className="badge">{strategy ?? t.explore.usualStrategy}</span>
      {came && <span className="muted tiny numbers">{t.explore.came(came.rows.length)} · {t.query.timing(came.ms)}</span>}
    </h2>
  );
}

function Problem({ error, eyes, retry }: { error: unknown; eyes: Eyes | undefined; retry: () => void }) {
  const refused = error instanceof Refused ? error : undefined;
  const title = (refused && t.explore.problems[refused.code]) ?? t.explore.problems.other!;
  const doing = refused?.hint ?? (refused?.seconds ? t.explore.later(refused.seconds) : refused && t.explore.advice[refused.code]);
  return (
    <div className="card state failed" role="alert">
      <span className="mark">
        <CircleAlert size={20} aria-hidden />
      </span>
      <h2>{eyes && refused?.code === 'GRAPHQL_VALIDATION_FAILED' ? t.explore.notSeen(eyes.name) : title}</h2>
      <p>{error instanceof Error ? error.message : t.errors.pageWords}</p>
      {doing && <p>{doing}</p>}
      <div className="do">
        <Button onPress={retry}>{t.tryAgain}</Button>
      </div>
      {refused?.requestId && (
        <details>
          <summary>{t.details}</summary>
          {refused.code} · {t.requestId} <code>{refused.requestId}</code>
        </details>
      )}
    </div>
  );
}

function Shown({ came, state, models, compiled, view, change, mine, explain }: { came: Came; state: State; models: Models; compiled: Compiled; view: View; change: Props['change']; mine: boolean; explain: boolean }) {
  const chart = useMemo(() => chartOf(state, models, compiled, came.rows), [state, models, compiled, came]);
  const table = useMemo(() => chartOf({ ...state, chart: { kind: 'table' } }, models, compiled, came.rows), [state, models, compiled, came]);
  const left = leftOut(state, chart);
  if (view === 'text') {
    return (
      <div className="card text-of">
        <pre tabIndex={0} aria-label="GraphQL">{compiled.query}</pre>
      </div>
    );
  }
  if (view === 'how') {
    return <div className="card how">{mine ? <Explain explained={came.explained} /> : <p className="muted small body">{explain ? t.explore.explainOwn : t.query.notExplained}</p>}</div>;
  }
  if (came.rows.length === 0) {
    return (
      <div className="card">
        <Empty icon={SearchX} title={t.explore.empty}>
          {t.explore.emptyWords}
        </Empty>
      </div>
    );
  }
  return (
    <>
      {came.notes.map((note) => (
        <p key={note} className="note warn">
          <CircleAlert size={16} aria-hidden />
          <span>{note}</span>
        </p>
      ))}
      {chart.kind !== 'table' && (
        <div className={classes('drawing-of', chart.kind)}>
          <Drawn came={came} chart={chart} heading={about(compiled, chart)} />
        </div>
      )}
      {left.length > 0 && (
        <div className="note left-out">
          <Info size={16} aria-hidden />
          <span>{t.explore.leftOut(left.length)}</span>
          <span className="row">
            {left.map((path) => (
              <Button key={path} small aria-label={t.explore.draw(label(path, models))} onPress={() => change({ ...state.chart, of: path })}>
                {label(path, models)}
              </Button>
            ))}
          </span>
        </div>
      )}
      {chart.kind !== 'number' && (
        <div className={classes('table-of', chart.kind === 'table' && 'tall')}>
          <Drawn came={came} chart={table} exact />
        </div>
      )}
    </>
  );
}
