// Explore: a question that is put together by choosing, and what comes of it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { ChevronDown, Compass, Copy, Eye, Lock, Save, SquareTerminal, Table2 } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import '../../styles/explore.css';
import { useDelayed } from '../../admin/common';
import { ask, Failure } from '../../api';
import { server } from '../../base';
import { useMe } from '../../me';
import { toOpen } from '../../query/store';
import { t } from '../../texts';
import { Button, classes } from '../../ui/controls';
import { copy } from '../../ui/dialog';
import { Page } from '../../ui/page';
import { Empty, Failed, Loaded, Loading } from '../../ui/state';
import { toast } from '../../ui/toast';
import { Builder } from './builder';
import { chartOf, compile, finished, known } from './compile';
import { era } from './era';
import { close, EyesBanner, SeeAs, useBorrows, type Eyes } from './eyes';
import { datasetItems } from './items';
import { AsTile, Keep, keeps, keptFields, tiles, type Kept } from './keep';
import { listQuery, useModels, words, type Listed } from './model';
import { Picker } from './picker';
import { Kinds, Results, type View } from './result';
import { read, start, written, type State } from './state';

export interface ExploreSearch {
  q?: unknown;
  saved?: string;
}

export function Explore() {
  const list = useQuery(listQuery());
  return <Loaded of={list}>{(datasets) => <Explorer list={datasets} />}</Loaded>;
}

function useKept(id: string | undefined) {
  return useQuery({
    queryKey: ['saved', era(), 'one', id],
    enabled: id !== undefined,
    queryFn: async () => {
      const { kept } = await ask<{ kept: Kept | null }>(`query($id: String!) { kept: savedQuery(id: $id) { ${keptFields} } }`, { id });
      if (!kept) throw new Failure(t.explore.keptGone, 'NOT_FOUND', undefined, false);
      return kept;
    },
  });
}

function Explorer({ list }: { list: Listed[] }) {
  const me = useMe();
  const navigate = useNavigate();
  const { q, saved } = useSearch({ strict: false }) as ExploreSearch;
  const kept = useKept(saved);
  // What is typed shows at once; the address follows it.
  const [state, setState] = useState<State | undefined>(() => read(q));
  const base = useMemo(() => read(kept.data?.view), [kept.data]);
  const current = state ?? base;
  const models = useModels(list, current?.dataset);

  // The address that was made here is known; another one, as by "back", is read.
  const mine = useRef(q === undefined ? undefined : JSON.stringify(q));
  useEffect(() => {
    const text = q === undefined ? undefined : JSON.stringify(q);
    if (text === mine.current) return;
    mine.current = text;
    setState(read(q));
  }, [q]);
  const settled = useDelayed(state, 350);
  useEffect(() => {
    if (!settled || settled !== state) return;
    const next = written(settled);
    const text = JSON.stringify(next);
    if (text === mine.current) return;
    mine.current = text;
    void navigate({ to: '/explore', search: { q: next, saved }, replace: true });
  }, [settled, state, navigate, saved]);

  const replace = useCallback((next: State) => setState(next), []);
  const change = useCallback((part: Partial<State>) => setState((now) => ({ ...(now ?? base!), ...part })), [base]);

  if (saved !== undefined && kept.error && !state) return <Framed><div className="card"><Failed error={kept.error} retry={() => void kept.refetch()} /></div></Framed>;
  if (saved !== undefined && kept.data && !base && !state) {
    return (
      <Framed>
        <div className="card">
          <Empty icon={Lock} title={kept.data.document === null ? t.explore.hidden : t.explore.textOnly}>
            {kept.data.document === null ? t.explore.hiddenWords : t.explore.textOnlyWords}
          </Empty>
        </div>
      </Framed>
    );
  }
  if (saved !== undefined && kept.isPending && !state) return <Framed><div className="card"><Loading /></div></Framed>;
  if (!current) return <Framed><Choose list={list} choose={(name) => replace(start(name))} /></Framed>;
  if (!list.some(({ name }) => name === current.dataset)) {
    return (
      <Framed>
        <div className="card">
          <Empty icon={Lock} title={t.catalog.gone} action={<Button onPress={() => void navigate({ to: '/explore', search: {} })}>{t.explore.another}</Button>}>
            {t.catalog.goneWords}
          </Empty>
        </div>
      </Framed>
    );
  }
  if (models.error) return <Framed><div className="card"><Failed error={models.error} retry={() => void models.refetch()} /></div></Framed>;
  if (!models.data) return <Framed><div className="card"><Loading /></div></Framed>;
  return <Open key={me.subject} list={list} models={models.data} state={known(current, models.data)} change={change} replace={replace} kept={kept.data} changed={state !== undefined && JSON.stringify(written(state)) !== JSON.stringify(base && written(base))} />;
}

function Framed({ children }: { children: React.ReactNode }) {
  return (
    <Page title={t.explore.title_} lead={t.explore.lead}>
      {children}
    </Page>
  );
}

function Choose({ list, choose }: { list: Listed[]; choose: (name: string) => void }) {
  const me = useMe();
  if (list.length === 0) {
    return (
      <div className="card">
        <Empty icon={Table2} title={t.catalog.empty}>
          {me.has('AdminQuery.configuration') ? t.catalog.emptyForOperators : t.catalog.emptyWords}
        </Empty>
      </div>
    );
  }
  return (
    <div className="card">
      <Empty
        icon={Compass}
        title={t.explore.begin}
        action={
          <Picker label={t.explore.chooseDataset} items={datasetItems(list)} onPick={choose} small={false} primary>
            {t.explore.chooseDataset}
            <ChevronDown size={16} aria-hidden />
          </Picker>
        }
      >
        {t.explore.beginWords}
      </Empty>
      {list.length <= 12 && (
        <ul className="starts">
          {list.map(({ name, label, description }) => (
            <li key={name}>
              <Button onPress={() => choose(name)}>
                <span className="lead truncate">{label ?? words(name)}</span>
                <span className="under truncate">{description ?? name}</span>
              </Button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

interface OpenProps {
  list: Listed[];
  models: NonNullable<ReturnType<typeof useModels>['data']>;
  state: State;
  change: (part: Partial<State>) => void;
  replace: (state: State) => void;
  kept: Kept | undefined;
  changed: boolean;
}

function Open({ list, models, state, change, replace, kept, changed }: OpenProps) {
  const me = useMe();
  const borrows = useBorrows();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [view, setView] = useState<View>('answer');
  const [dialog, setDialog] = useState<'keep' | 'tile' | 'eyes' | 'another'>();
  const [eyes, setEyes] = useState<Eyes[]>([]);
  const [side, setSide] = useState(false);
  const mayExplain = me.can('EXPLAIN') || me.can('ADMINISTER');
  const compiled = useMemo(() => compile(state, models), [state, models]);
  // Typing asks once it has stopped.
  const query = useDelayed(compiled.query, 300);
  const asked = useMemo(() => ({ ...compiled, query }), [compiled, query]);
  const ready = query === compiled.query;
  const settledFor = useRef({ compiled, state, models });
  if (ready) settledFor.current = { compiled, state, models };
  const drawn = settledFor.current;

  // Eyes end with the page, with their time, and when somebody stops.
  const held = useRef<Eyes[]>([]);
  held.current = eyes;
  useEffect(() => () => held.current.forEach(close), []);
  useEffect(() => {
    const ends = eyes.flatMap(({ until }) => (until ? [new Date(until).getTime()] : []));
    if (ends.length === 0) return;
    const timer = setTimeout(() => {
      setEyes((now) => now.filter(({ until }) => until === null || new Date(until).getTime() > Date.now()));
      toast(t.explore.ended);
    }, Math.min(Math.max(Math.min(...ends) - Date.now(), 0), 2 ** 31 - 1));
    return () => clearTimeout(timer);
  }, [eyes]);
  const panes = eyes.length === 2 ? eyes : eyes.length === 1 ? (side ? [undefined, eyes[0]] : [eyes[0]]) : [undefined];

  const seesAs = useRef<HTMLButtonElement>(null);
  const rows = useRef<readonly unknown[]>([]);
  async function update() {
    await ask('mutation($id: String!, $input: SavedQueryInput!, $version: Int) { updateSavedQuery(id: $id, input: $input, version: $version) { version } }', {
      id: kept!.id, version: kept!.version,
      input: { name: kept!.name, description: kept!.description ?? undefined, document: compiled.query, view: written(finished(state, models)), shared: kept!.shared },
    });
    await client.invalidateQueries({ queryKey: ['saved'] });
    toast(t.explore.kept(kept!.name));
  }
  return (
    <Page
      title={kept ? (kept.description ?? kept.name) : t.explore.title_}
      lead={kept ? `${kept.own ? '' : `${t.explore.template}. `}${changed ? t.explore.changedSince : kept.name}` : t.explore.lead}
      full
      actions={
        <>
          {borrows && (
            <Button ref={seesAs} onPress={() => setDialog('eyes')}>
              <Eye size={16} aria-hidden />
              {t.explore.seeAs}
            </Button>
          )}
          <MenuTrigger>
            <Button>
              <Copy size={16} aria-hidden />
              {t.copy}
            </Button>
            <Popover className="popover" placement="bottom end">
              <Menu className="menu" aria-label={t.copy}>
                <MenuItem className="item" onAction={() => void copy(location.href)}>{t.explore.copyLink}</MenuItem>
                <MenuItem className="item" onAction={() => void copy(compiled.query)}>GraphQL</MenuItem>
                <MenuItem className="item" onAction={() => void copy(curl(compiled.query))}>curl</MenuItem>
                <MenuItem className="item" onAction={() => void copy(typescript(compiled.query))}>TypeScript (@usher/client)</MenuItem>
              </Menu>
            </Popover>
          </MenuTrigger>
          <Button
            onPress={() => {
              toOpen.want(me, compiled.query);
              void navigate({ to: '/query' });
            }}
          >
            <SquareTerminal size={16} aria-hidden />
            {t.nav.query}
          </Button>
          {(keeps(me) || tiles(me)) && (
            <MenuTrigger>
              <Button look="primary">
                <Save size={16} aria-hidden />
                {t.save}
                <ChevronDown size={14} aria-hidden />
              </Button>
              <Popover className="popover" placement="bottom end">
                <Menu className="menu" aria-label={t.save}>
                  {kept && kept.own && changed && keeps(me) ? <MenuItem className="item" onAction={() => void update().catch((error: unknown) => toast(error instanceof Failure ? error.message : t.errors.title, true))}>{t.explore.update(kept.name)}</MenuItem> : null}
                  {keeps(me) ? <MenuItem className="item" onAction={() => setDialog('keep')}>{t.explore.keepAs}</MenuItem> : null}
                  {tiles(me) ? <MenuItem className="item" onAction={() => setDialog('tile')}>{t.explore.asTile}</MenuItem> : null}
                </Menu>
              </Popover>
            </MenuTrigger>
          )}
        </>
      }
    >
      {eyes.length > 0 && (
        <EyesBanner
          eyes={eyes}
          side={side}
          toggle={() => setSide(!side)}
          add={() => setDialog('another')}
          stop={() => {
            eyes.forEach(close);
            setEyes([]);
            setSide(false);
            seesAs.current?.focus();
          }}
        />
      )}
      <div className="explore">
        <Builder list={list} models={models} state={state} change={change} replace={replace} />
        <section className="results" aria-label={t.explore.answer}>
          <Results
            state={drawn.state}
            models={drawn.models}
            compiled={ready ? asked : drawn.compiled}
            panes={panes}
            explain={mayExplain}
            view={view}
            rows={rows}
            change={(chart) => change({ chart })}
            tell={(busy, said, kind) => (
              <div className="results-bar">
                <div className="segments" role="group" aria-label={t.explore.view}>
                  {(['answer', ...(mayExplain ? ['how'] : []), 'text'] as View[]).map((one) => (
                    <Button key={one} small aria-pressed={view === one} onPress={() => setView(one)}>
                      {t.explore.views[one]}
                    </Button>
                  ))}
                </div>
                {view === 'answer' && <Kinds state={state} kind={kind} change={(chart) => change({ chart })} />}
                <span className="said muted tiny numbers" role="status">
                  {busy ? t.query.wait : said}
                  {compiled.unfinished > 0 && ` · ${t.explore.unfinished(compiled.unfinished)}`}
                </span>
                <span className={classes('progress', busy && 'on')} aria-hidden />
              </div>
            )}
          />
        </section>
      </div>
      {dialog === 'keep' && <Keep state={state} models={models} compiled={compiled} onClose={() => setDialog(undefined)} onKept={(made) => made.view !== null && void navigate({ to: '/explore', search: { saved: made.id } })} />}
      {dialog === 'tile' && <AsTile compiled={compiled} chart={chartOf(state, models, compiled, rows.current)} onClose={() => setDialog(undefined)} />}
      {(dialog === 'eyes' || dialog === 'another') && (
        <SeeAs
          title={dialog === 'another' ? t.explore.besideAnother : t.explore.seeAs}
          onClose={() => setDialog(undefined)}
          onOpen={(made) => {
            if (dialog === 'another') setEyes([...eyes.slice(0, 1), made]);
            else {
              eyes.forEach(close);
              setEyes([made]);
            }
          }}
        />
      )}
    </Page>
  );
}

// curl is the same question for a shell; the token comes from its environment.
function curl(query: string): string {
  const body = JSON.stringify({ query }).replaceAll("'", `'\\''`);
  return `curl '${server('graphql')}' \\\n  -H "Authorization: Bearer $USHER_TOKEN" \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
}

function typescript(query: string): string {
  const text = query.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');
  return `import { Client } from '@usher/client';\n\nconst usher = new Client({ server: '${server('').replace(/\/$/, '')}', tokenUrl: '/api/usher-token' });\nconst { data } = await usher.query(\`${text}\`);\n`;
}
