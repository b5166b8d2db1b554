// The Query page: an operation, its variables, its answer, and how that came to be.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { BookOpen, Copy, History, Play, Plus, SquareTerminal, Square, Wand, X } from 'lucide-react';
import { buildClientSchema, getIntrospectionQuery, Kind, parse, print, type DocumentNode, type IntrospectionQuery } from 'graphql';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Button as AriaButton, Menu, MenuItem, MenuTrigger, Popover, Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import '../styles/query.css';
import { ask, send } from '../api';
import { server } from '../base';
import { demoQuery } from '../demo';
import { enter } from '../enter';
import { useMe } from '../me';
import { session } from '../session';
import { t } from '../texts';
import { Button, Checkbox, classes, Select } from '../ui/controls';
import { copy, Dialog } from '../ui/dialog';
import { when } from '../ui/page';
import { Empty, Failed } from '../ui/state';
import { Docs } from './docs';
import { Editor } from './editor';
import { isObject, layOut } from './exact';
import { Explain, type Explained } from './explain';
import type { Me } from '../viewer';
import { history, loadTabs, nameOf, newTab, saveTabs, toOpen, type QueryTab, type Tabs as TabsState } from './store';

interface Came {
  text: string;
  status: number;
  ms: number;
  bytes: number;
  explained?: Explained[];
  requestId: string | null;
}

const introspection = getIntrospectionQuery({ inputValueDeprecation: true, schemaDescription: true });

export function QueryPage() {
  const me = useMe();
  const demo = useQuery(demoQuery);
  const client = useQueryClient();
  const schema = useQuery({
    queryKey: ['schema', session.token()],
    staleTime: Infinity,
    queryFn: () => ask<IntrospectionQuery>(introspection).then((answer) => buildClientSchema(answer)),
  });
  const [state, setState] = useState<TabsState>(() => opened(me, loadTabs(me)));
  const tab = state.tabs.find(({ id }) => id === state.active) ?? state.tabs[0]!;
  const [came, setCame] = useState<Record<string, Came>>({});
  const [running, setRunning] = useState<AbortController>();
  const [failure, setFailure] = useState<unknown>();
  const [explain, setExplain] = useState(false);
  const [docs, setDocs] = useState(false);
  const [path, setPath] = useState<string[]>([]);
  const [dialog, setDialog] = useState<'history'>();
  const [operation, setOperation] = useState<string>();
  const mayExplain = me.can('EXPLAIN') || me.can('ADMINISTER');

  useEffect(() => saveTabs(me, state), [me, state]);
  useEffect(() => {
    document.title = `${t.query.title} · ${t.brand}`;
    toOpen.taken();
  }, []);
  // A demo starts with its first sample, so that there is something to run.
  const samples = demo.data?.queries ?? [];
  useEffect(() => {
    const first = samples[0]?.query;
    if (first) setState((now) => (now.tabs.length === 1 && now.tabs[0]!.query.trim() === '' ? { ...now, tabs: [{ ...now.tabs[0]!, query: first }] } : now));
  }, [samples]);

  const change = (part: Partial<QueryTab>) => setState((now) => ({ ...now, tabs: now.tabs.map((one) => (one.id === now.active ? { ...one, ...part } : one)) }));

  const document_ = useMemo<DocumentNode | undefined>(() => {
    try {
      return parse(tab.query);
    } catch {
      return undefined;
    }
  }, [tab.query]);
  const operations = document_?.definitions.flatMap((definition) => (definition.kind === Kind.OPERATION_DEFINITION ? [definition] : [])) ?? [];
  const names = operations.flatMap(({ name }) => (name ? [name.value] : []));
  const chosen = names.length > 1 ? (names.includes(operation ?? '') ? operation : names[0]) : names[0];
  const badVariables = tab.variables.trim() !== '' && !isObject(tab.variables);

  async function run() {
    if (running || badVariables || !tab.query.trim()) return;
    const abort = new AbortController();
    setRunning(abort);
    setFailure(undefined);
    const id = tab.id;
    const began = performance.now();
    try {
      const parts = [`"query":${JSON.stringify(tab.query)}`];
      if (chosen !== undefined) parts.push(`"operationName":${JSON.stringify(chosen)}`);
      // Variables go as they were written: with all their digits.
      if (tab.variables.trim()) parts.push(`"variables":${tab.variables}`);
      if (explain && mayExplain) parts.push('"extensions":{"explain":true}');
      const response = await send(`{${parts.join(',')}}`, session.token(), abort.signal);
      const raw = await response.text();
      const ms = performance.now() - began;
      setCame((before) => ({ ...before, [id]: read(response, raw, ms) }));
      history.add(me, { query: tab.query, variables: tab.variables, at: new Date().toISOString() });
      if (response.status === 401) session.end('refused');
    } catch (error) {
      if (!abort.signal.aborted) setFailure(error);
    } finally {
      setRunning(undefined);
    }
  }

  function openText(query: string, variables = '') {
    setFailure(undefined);
    setState((now) => {
      const current = now.tabs.find(({ id }) => id === now.active)!;
      if (current.query.trim() === '' || samples.some((sample) => sample.query === current.query)) {
        return { ...now, tabs: now.tabs.map((one) => (one.id === now.active ? { ...one, query, variables } : one)) };
      }
      const fresh = newTab(query, variables);
      return { tabs: [...now.tabs, fresh], active: fresh.id };
    });
  }

  function close(id: string) {
    setState((now) => {
      const left = now.tabs.filter((one) => one.id !== id);
      if (left.length === 0) left.push(newTab());
      return { tabs: left, active: now.active === id ? left.at(-1)!.id : now.active };
    });
  }

  function prettify() {
    if (document_) change({ query: `${print(document_)}\n` });
    if (tab.variables.trim() && !badVariables) change({ variables: layOut(tab.variables) });
  }

  // Whoever becomes somebody else in a demo asks them the same.
  async function become(index: number) {
    const sample = demo.data?.tokens[index];
    if (!sample) return;
    try {
      toOpen.want(await enter(sample.token, client), tab.query, tab.variables);
    } catch (error) {
      setFailure(error);
    }
  }

  const answer = came[tab.id];
  const tokens = demo.data?.tokens ?? [];
  const asker = tokens.findIndex(({ token }) => token === session.token());
  return (
    <main id="content" tabIndex={-1} className={classes('query-page', docs && 'with-docs')}>
      <div className="query-bar">
        <h1>{t.query.title}</h1>
        <span className="asker muted small truncate">
          {t.query.askingAs} {me.subject}, {me.tenant ?? t.allTenants}
        </span>
        <div className="row">
          {tokens.length > 0 && (
            <Select
              small
              hidden
              label={t.query.askingAs}
              placeholder={t.me.another}
              value={asker < 0 ? null : String(asker)}
              onChange={(index) => void become(Number(index))}
              choices={tokens.map(({ name }, index) => ({ id: String(index), name }))}
            />
          )}
          {samples.length > 0 && (
            <MenuTrigger>
              <Button small>{t.query.samples}</Button>
              <Popover className="popover">
                <Menu className="menu" aria-label={t.query.samplesOpen}>
                  {samples.map(({ name, query }) => (
                    <MenuItem key={name} className="item" onAction={() => openText(query)}>
                      {name}
                    </MenuItem>
                  ))}
                </Menu>
              </Popover>
            </MenuTrigger>
          )}
          <Button small onPress={() => setDialog('history')}>
            <History size={14} aria-hidden />
            {t.query.history}
          </Button>
          <Button small isDisabled={!schema.data} onPress={() => setDocs(!docs)} aria-pressed={docs}>
            <BookOpen size={14} aria-hidden />
            {t.query.docs}
          </Button>
        </div>
      </div>
      <div className="query-tabs" role="group" aria-label={t.query.tabs}>
        {state.tabs.map((one) => {
          const name = nameOf(one.query, t.query.untitled);
          return (
            <span key={one.id} className={classes('query-tab', one.id === tab.id && 'active')}>
              <AriaButton aria-current={one.id === tab.id ? 'true' : undefined} onPress={() => setState({ ...state, active: one.id })}>
                {name}
              </AriaButton>
              {state.tabs.length > 1 && (
                <AriaButton className="close" aria-label={t.query.closeTab(name)} onPress={() => close(one.id)}>
                  <X size={12} aria-hidden />
                </AriaButton>
              )}
            </span>
          );
        })}
        <Button
          look="quiet"
          small
          icon
          aria-label={t.query.newTab}
          onPress={() => {
            const fresh = newTab();
            setState({ tabs: [...state.tabs, fresh], active: fresh.id });
          }}
        >
          <Plus size={16} aria-hidden />
        </Button>
      </div>
      <div className="query-panes">
        <div className="left">
          <section className="pane operation" aria-label={t.query.editor}>
            <div className="pane-bar">
              {running ? (
                <Button small onPress={() => running.abort()}>
                  <Square size={13} aria-hidden />
                  {t.query.stop}
                </Button>
              ) : (
                <Button small look="primary" isDisabled={badVariables || !tab.query.trim()} onPress={() => void run()} aria-keyshortcuts="Control+Enter">
                  <Play size={13} aria-hidden />
                  {t.query.run}
                </Button>
              )}
              {names.length > 1 && <Select small hidden label={t.query.which} value={chosen ?? null} onChange={setOperation} choices={names.map((name) => ({ id: name, name }))} />}
              <Button small look="quiet" onPress={prettify} isDisabled={!document_}>
                <Wand size={14} aria-hidden />
                {t.query.prettify}
              </Button>
              {mayExplain && (
                <Checkbox isSelected={explain} onChange={setExplain}>
                  {t.query.explain}
                </Checkbox>
              )}
              <span className="hint muted tiny">{t.query.runHint}</span>
            </div>
            <div className="pane-body">
              <Editor
                key={`${tab.id} query`}
                label={t.query.editor}
                language="graphql"
                value={tab.query}
                schema={schema.data}
                onChange={(query) => change({ query })}
                onRun={() => void run()}
                onDocs={(type) => {
                  setPath([type]);
                  setDocs(true);
                }}
              />
            </div>
            {schema.error !== null && <p className="pane-note bad">{t.query.schemaFailed}</p>}
          </section>
          <section className="pane variables" aria-label={t.query.variables}>
            <div className="pane-bar">
              <h2>{t.query.variables}</h2>
            </div>
            <div className="pane-body">
              <Editor
                key={`${tab.id} variables`}
                label={t.query.variablesLabel}
                language="json"
                value={tab.variables}
                onChange={(variables) => change({ variables })}
                onRun={() => void run()}
                names={() => operations.flatMap(({ variableDefinitions }) => variableDefinitions?.map(({ variable }) => variable.name.value) ?? [])}
              />
            </div>
            {badVariables && (
              <p className="pane-note bad" role="alert">
                {t.query.badVariables}
              </p>
            )}
          </section>
        </div>
        <section className="pane answer" aria-label={t.query.answer} aria-busy={running !== undefined}>
          <Tabs className="tabs">
            <div className="pane-bar">
              <TabList className="tab-list" aria-label={t.query.answer}>
                <Tab id="response" className="tab">
                  {t.query.response}
                </Tab>
                {mayExplain && (
                  <Tab id="how" className="tab">
                    {t.query.how}
                  </Tab>
                )}
              </TabList>
              <span className="outcome" role="status">
                {running ? <span className="muted tiny">{t.query.wait}</span> : answer && <Outcome answer={answer} />}
              </span>
              {answer && (
                <MenuTrigger>
                  <Button look="quiet" small icon aria-label={t.copy}>
                    <Copy size={14} aria-hidden />
                  </Button>
                  <Popover className="popover">
                    <Menu className="menu" aria-label={t.copy}>
                      <MenuItem className="item" onAction={() => void copy(answer.text)}>
                        {t.query.copyAnswer}
                      </MenuItem>
                      <MenuItem className="item" onAction={() => void copy(curl(tab))}>
                        {t.query.copyCurl}
                      </MenuItem>
                      <MenuItem className="item" onAction={() => void copy(tab.query)}>
                        {t.query.copyGraphQL}
                      </MenuItem>
                    </Menu>
                  </Popover>
                </MenuTrigger>
              )}
            </div>
            <TabPanel id="response" className="pane-body">
              {failure !== undefined ? (
                <Failed error={failure} retry={() => void run()} />
              ) : answer ? (
                <Editor key={tab.id} label={t.query.answer} language="json" value={answer.text} />
              ) : (
                <Empty icon={SquareTerminal} title={t.query.empty}>
                  {samples.length > 0 ? t.query.emptyOrSample : t.query.emptyWords}
                </Empty>
              )}
            </TabPanel>
            {mayExplain && (
              <TabPanel id="how" className="pane-body">
                <Explain explained={answer?.explained} asked={explain && answer !== undefined} />
              </TabPanel>
            )}
          </Tabs>
        </section>
        {docs && schema.data && <Docs schema={schema.data} path={path} setPath={setPath} onClose={() => setDocs(false)} />}
      </div>
      {dialog === 'history' && (
        <HistoryDialog
          onClose={() => setDialog(undefined)}
          onOpen={(query, variables) => {
            setDialog(undefined);
            openText(query, variables);
          }}
        />
      )}
    </main>
  );
}

// opened adds the tab that another page asked for.
function opened(me: Me, state: TabsState): TabsState {
  const wanted = toOpen.get(me);
  if (wanted === undefined) return state;
  const same = state.tabs.find(({ query, variables }) => query === wanted.query && (wanted.variables === '' || variables === wanted.variables));
  if (same) return { ...state, active: same.id };
  const fresh = newTab(wanted.query, wanted.variables);
  return { tabs: [...state.tabs.filter(({ query }) => query.trim() !== ''), fresh], active: fresh.id };
}

function read(response: Response, raw: string, ms: number): Came {
  const base = { status: response.status, ms, bytes: raw.length, requestId: response.headers.get('x-request-id') };
  try {
    const { extensions } = JSON.parse(raw) as { extensions?: { explain?: Explained[] } };
    return { ...base, text: layOut(raw), explained: extensions?.explain };
  } catch {
    return { ...base, text: `${response.status} ${response.statusText}\n${raw}` };
  }
}

// curl is the same request for a shell; the token comes from its environment.
function curl(tab: QueryTab): string {
  const variables = tab.variables.trim() ? `,"variables":${tab.variables}` : '';
  const body = `{"query":${JSON.stringify(tab.query)}${variables}}`.replaceAll("'", `'\\''`);
  return `curl '${server('graphql')}' \\\n  -H "Authorization: Bearer $USHER_TOKEN" \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
}

function Outcome({ answer }: { answer: Came }) {
  const good = answer.status === 200;
  return (
    <>
      <span className={classes('badge', good ? 'good' : 'bad')}>{answer.status}</span>
      <span className="muted tiny numbers" title={answer.requestId ? `${t.requestId} ${answer.requestId}` : undefined}>
        {t.query.timing(answer.ms)} · {t.query.bytes(answer.bytes)}
      </span>
    </>
  );
}

function HistoryDialog({ onOpen, onClose }: { onOpen: (query: string, variables: string) => void; onClose: () => void }) {
  const me = useMe();
  const [all, setAll] = useState(() => history.get(me));
  const list = useRef<HTMLUListElement>(null);
  return (
    <Dialog title={t.query.history} wide onClose={onClose}>
      <div className="body">
        {all.length === 0 ? (
          <p className="muted">{t.query.noHistory}</p>
        ) : (
          <ul className="past" ref={list}>
            {all.map(({ query, variables, at }) => (
              <li key={at + query}>
                <button type="button" onClick={() => onOpen(query, variables)}>
                  <span className="row">
                    <span className="lead">{nameOf(query, t.query.untitled)}</span>
                    <span className="muted tiny">{when(at)}</span>
                  </span>
                  <code className="muted truncate">{query.replace(/\s+/g, ' ')}</code>
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      <footer>
        {all.length > 0 && (
          <Button
            onPress={() => {
              history.clear(me);
              setAll([]);
            }}
          >
            {t.query.clearHistory}
          </Button>
        )}
        <Button look="primary" onPress={onClose}>
          {t.close}
        </Button>
      </footer>
    </Dialog>
  );
}
