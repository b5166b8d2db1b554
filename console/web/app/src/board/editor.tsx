// The editor of a dashboard: its page, what each tile asks, and what viewers choose.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useBlocker, useParams } from '@tanstack/react-router';
import { ArrowLeft, CircleAlert, Lock, Plus, Redo2, Save, Undo2 } from 'lucide-react';
import { buildClientSchema, getIntrospectionQuery, parse, type IntrospectionQuery } from 'graphql';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import '../styles/editor.css';
import { ask, askExactly, Failure } from '../api';
import { readDigits } from '../digits';
import { drafts } from '../drafts';
import { EmbeddedChart } from '../embedded';
import { useMe } from '../me';
import { session } from '../session';
import { t } from '../texts';
import { useDelayed } from '../admin/common';
import { Button, Checkbox, TextField } from '../ui/controls';
import { Dialog } from '../ui/dialog';
import { Page } from '../ui/page';
import { Restored } from '../ui/restored';
import { Empty, Loaded } from '../ui/state';
import { toast } from '../ui/toast';
import { below, freeId, put, valuesOf, type Document, type Tile } from './document';
import { Grid } from './grid';
import { useHistory } from './history';
import { Parameters } from './parameters';
import { newTile, TilePanel } from './tilepanel';

export interface Finding {
  tile: string | null;
  path: string[];
  message: string;
  fails: boolean;
}

interface Kept {
  name: string;
  title: string;
  shared: boolean;
  own: boolean;
  version: number;
  document: Document | null;
  findings: Finding[];
}

// Unsaved is a draft of a dashboard, and the version that it changes.
interface Unsaved {
  document: Document;
  shared: boolean;
  version: number;
}

const fields = '{ name title shared own version document findings { tile path message fails } }';
const load = (name: string) => askExactly<unknown>(`query($name: String!) { dashboard(name: $name) ${fields} }`, { name }).then(({ text }) => (readDigits(text) as { data: { dashboard: Kept | null } }).data.dashboard);

const introspection = getIntrospectionQuery({ inputValueDeprecation: true, schemaDescription: true });

export function EditorPage() {
  const { dashboard: name } = useParams({ strict: false }) as { dashboard: string };
  // What is being edited does not change because something was loaded again.
  const kept = useQuery({ queryKey: ['dashboard', name, 'edited'], gcTime: 0, staleTime: Infinity, refetchOnWindowFocus: false, retry: false, queryFn: () => load(name) });
  return (
    <Loaded of={kept}>
      {(found) =>
        found?.document && found.own && found.version > 0 ? (
          <Editing key={name} first={found} />
        ) : (
          <Page title={t.nav.dashboards}>
            <div className="card">
              <Empty
                icon={Lock}
                title={found ? t.editor.notYours : t.list.gone}
                action={
                  <Link to="/dashboards" className="button">
                    {t.dashboards.back}
                  </Link>
                }
              >
                {found ? t.editor.notYoursWords : t.dashboards.gone}
              </Empty>
            </div>
          </Page>
        )
      }
    </Loaded>
  );
}

function Editing({ first }: { first: Kept }) {
  const me = useMe();
  const client = useQueryClient();
  const { name } = first;
  const page = `dashboard ${name}`;
  const [draft] = useState(() => {
    const found = drafts.read<Unsaved>(me, page);
    return found && Array.isArray(found.document?.tiles) && differ(found, { document: first.document!, shared: first.shared }) ? found : undefined;
  });
  const { now, change, undo, redo, canUndo, canRedo } = useHistory<Document>(first.document!, draft?.document);
  const [shared, setShared] = useState(draft?.shared ?? first.shared);
  // A draft of an older version is saved as one: whoever saved meanwhile is told of.
  const [saved, setSaved] = useState({ document: first.document!, shared: first.shared, version: draft?.version ?? first.version });
  const [restored, setRestored] = useState(draft !== undefined);
  const [findings, setFindings] = useState(first.findings);
  const [chosen, setChosen] = useState<string>();
  const [tab, setTab] = useState<string>('page');
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState<string>();
  const [theirs, setTheirs] = useState<Kept>();
  const schema = useQuery({
    queryKey: ['schema', session.token()],
    staleTime: Infinity,
    queryFn: () => ask<IntrospectionQuery>(introspection).then((answer) => buildClientSchema(answer)),
  });
  const changed = differ({ document: now, shared }, saved);
  const tile = now.tiles.find(({ id }) => id === chosen);
  const shown = useDelayed(now, 400);

  useEffect(() => {
    document.title = `${t.editor.edit}: ${now.title} · ${t.brand}`;
  }, [now.title]);

  useEffect(() => {
    if (changed) drafts.write(me, page, { document: now, shared, version: saved.version } satisfies Unsaved, now.title);
    else drafts.drop(me, page);
  }, [me, page, changed, now, shared, saved]);

  function discard() {
    change(first.document!);
    setShared(first.shared);
    setSaved({ document: first.document!, shared: first.shared, version: first.version });
    setRestored(false);
  }

  // Nobody loses a change by going elsewhere.
  const latest = useRef(changed);
  latest.current = changed;
  const blocker = useBlocker({ shouldBlockFn: () => latest.current, enableBeforeUnload: () => latest.current, withResolver: true });

  useEffect(() => {
    const keyed = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const typing = event.target instanceof HTMLElement && (event.target.matches('input, textarea') || event.target.shadowRoot !== null);
      if (event.key === 's') void save();
      else if (typing) return;
      else if (event.key === 'z' && !event.shiftKey) undo();
      else if (event.key === 'y' || (event.key === 'z' && event.shiftKey) || event.key === 'Z') redo();
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', keyed);
    return () => removeEventListener('keydown', keyed);
  });

  async function save(over?: number) {
    if (saving) return;
    setSaving(true);
    setError(undefined);
    try {
      const sent = now;
      const { saveDashboard } = await ask<{ saveDashboard: Kept }>(
        `mutation($name: String!, $document: JSON!, $shared: Boolean!, $version: Int) { saveDashboard(name: $name, document: $document, shared: $shared, version: $version) ${fields} }`,
        { name, document: sent, shared, version: over ?? saved.version },
      );
      setSaved({ document: sent, shared, version: saveDashboard.version });
      setFindings(saveDashboard.findings);
      setTheirs(undefined);
      setRestored(false);
      toast(t.editor.saved(saveDashboard.version));
      void client.invalidateQueries({ queryKey: ['dashboards'] });
    } catch (failure) {
      if (failure instanceof Failure && failure.code === 'CONFLICT') {
        const other = await load(name).catch(() => null);
        if (other?.document && other.version !== (over ?? saved.version)) {
          setTheirs(other);
          return;
        }
      }
      setError(failure instanceof Failure ? told(failure.message) : t.errors.pageWords);
    } finally {
      setSaving(false);
    }
  }

  // told is what was refused, of the tile as people know it, which is then the one that is edited.
  function told(message: string): string {
    const [, at, rest] = /\btiles\.(\d+)[^:]*: (.*)/s.exec(message) ?? [];
    const of = at === undefined ? undefined : now.tiles[Number(at)];
    if (!of) return message;
    choose(of.id);
    return t.editor.refusedTile(of.title || t.editor.nth(Number(at) + 1), of.chart.kind !== 'text' && !of.query?.trim() ? t.editor.asksNothingWords : rest!);
  }

  const choose = (id: string) => {
    setChosen(id);
    setTab('tile');
  };
  const add = () => {
    const made = newTile(now.tiles, below(now.tiles));
    change({ ...now, tiles: [...now.tiles, made] });
    choose(made.id);
  };
  const duplicate = (id: string) => {
    const of = now.tiles.find((one) => one.id === id)!;
    const made = { ...of, id: freeId(now.tiles, of.id), at: { ...of.at, y: of.at.y + of.at.h } };
    change({ ...now, tiles: put([...now.tiles, made], made.id, made.at) });
    choose(made.id);
  };
  const remove = (id: string) => {
    change({ ...now, tiles: now.tiles.filter((one) => one.id !== id) });
    if (chosen === id) setChosen(undefined);
  };
  const failing = useMemo(() => new Set(findings.flatMap(({ tile: id, fails }) => (fails && id ? [id] : []))), [findings]);

  return (
    <main id="content" tabIndex={-1} className="page full editor-page">
      <div className="page-head">
        <div className="row">
          <Link to="/dashboards/$dashboard" params={{ dashboard: name }} className="button quiet small">
            <ArrowLeft size={16} aria-hidden />
            {t.editor.leave}
          </Link>
          <h1>{now.title}</h1>
          {changed && <span className="badge">{t.editor.unsaved}</span>}
        </div>
        <div className="do">
          <Button look="quiet" icon aria-label={t.editor.undo} isDisabled={!canUndo} onPress={undo}>
            <Undo2 size={16} aria-hidden />
          </Button>
          <Button look="quiet" icon aria-label={t.editor.redo} isDisabled={!canRedo} onPress={redo}>
            <Redo2 size={16} aria-hidden />
          </Button>
          <Button onPress={add}>
            <Plus size={16} aria-hidden />
            {t.editor.add}
          </Button>
          <Button look="primary" isDisabled={!changed || saving} onPress={() => void save()}>
            <Save size={16} aria-hidden />
            {saving ? t.editor.saving : t.editor.save}
          </Button>
        </div>
      </div>
      {restored && <Restored onDrop={discard} />}
      {error && (
        <p className="note bad" role="alert">
          <CircleAlert size={16} aria-hidden />
          {error}
        </p>
      )}
      {findings.length > 0 && (
        <details className="note warn findings" open>
          <summary>{t.editor.findings(findings.length)}</summary>
          <ul>
            {findings.map((finding, i) => (
              <li key={i}>
                {finding.tile !== null && now.tiles.some(({ id }) => id === finding.tile) ? (
                  <button type="button" className="link" onClick={() => choose(finding.tile!)}>
                    {finding.tile}
                  </button>
                ) : (
                  <span className="mono">{finding.path.join('.')}</span>
                )}{' '}
                {finding.message}
              </li>
            ))}
          </ul>
        </details>
      )}
      <div className="editor-body">
        <div className="editor-canvas">
          {now.tiles.length === 0 ? (
            <div className="card state">
              <h2>{t.editor.empty}</h2>
              <p>{t.editor.emptyWords}</p>
              <Button onPress={add}>{t.editor.add}</Button>
            </div>
          ) : (
            <Grid tiles={now.tiles} chosen={chosen} onChoose={choose} onChange={(tiles, kind) => change({ ...now, tiles }, kind)} onDuplicate={duplicate} onRemove={remove} wrong={failing}>
              {(one) => <Preview tile={shown.tiles.find(({ id }) => id === one.id) ?? one} document={shown} />}
            </Grid>
          )}
        </div>
        <aside className="card editor-side" aria-label={t.editor.side}>
          <Tabs className="tabs" selectedKey={tab} onSelectionChange={(key) => setTab(String(key))}>
            <TabList className="tab-list" aria-label={t.editor.side}>
              <Tab id="page" className="tab">
                {t.editor.page}
              </Tab>
              <Tab id="parameters" className="tab">
                {t.editor.parameters}
              </Tab>
              <Tab id="tile" className="tab">
                {t.editor.tile}
              </Tab>
            </TabList>
            <TabPanel id="page" className="tab-panel">
              <div className="edit-form">
                <TextField label={t.editor.title} value={now.title} wrong={now.title.trim() ? undefined : t.editor.titleMissing} onChange={(title) => change({ ...now, title }, 'title')} autoComplete="off" />
                <TextField label={t.editor.words} value={now.description ?? ''} onChange={(description) => change({ ...now, description: description || undefined }, 'description')} lines={3} />
                <TextField
                  label={t.editor.refresh}
                  hint={t.editor.refreshHint}
                  value={now.refresh === undefined ? '' : String(now.refresh)}
                  inputMode="numeric"
                  autoComplete="off"
                  wrong={now.refresh !== undefined && now.refresh > 0 && now.refresh < 5 ? t.editor.refreshLeast : undefined}
                  onChange={(refresh) => /^\d{0,5}$/.test(refresh) && change({ ...now, refresh: refresh === '' ? undefined : Number(refresh) }, 'refresh')}
                />
                {me.allTenants && (
                  <Checkbox isSelected={shared} onChange={setShared} hint={t.editor.sharedHint}>
                    {t.editor.shared}
                  </Checkbox>
                )}
              </div>
            </TabPanel>
            <TabPanel id="parameters" className="tab-panel">
              <Parameters parameters={now.parameters ?? []} onChange={(parameters, kind) => change({ ...now, parameters: parameters.length > 0 ? parameters : undefined }, kind)} />
            </TabPanel>
            <TabPanel id="tile" className="tab-panel">
              {tile ? (
                <TilePanel
                  tile={tile}
                  tiles={now.tiles}
                  schema={schema.data}
                  onChange={(next, kind) => change((was) => ({ ...was, tiles: was.tiles.map((one) => (one.id === tile.id ? next : one)) }), kind)}
                  onRename={(id) => {
                    change({ ...now, tiles: now.tiles.map((one) => (one.id === tile.id ? { ...one, id } : one)) });
                    setChosen(id);
                  }}
                />
              ) : (
                <p className="muted small">{t.editor.choose}</p>
              )}
            </TabPanel>
          </Tabs>
        </aside>
      </div>
      {theirs && (
        <Dialog title={t.editor.conflict} lead={t.editor.conflictWords(theirs.version)} onClose={() => setTheirs(undefined)}>
          <footer>
            <Button onPress={() => setTheirs(undefined)}>{t.editor.stay}</Button>
            <Button
              onPress={() => {
                // What was here is one step back.
                change(theirs.document!);
                setShared(theirs.shared);
                setSaved({ document: theirs.document!, shared: theirs.shared, version: theirs.version });
                setFindings(theirs.findings);
                setTheirs(undefined);
              }}
            >
              {t.editor.takeTheirs}
            </Button>
            <Button look="danger" onPress={() => void save(theirs.version)}>
              {t.editor.overwrite}
            </Button>
          </footer>
        </Dialog>
      )}
      {blocker.status === 'blocked' && (
        <Dialog title={t.editor.leaving} lead={t.editor.leavingWords} onClose={() => blocker.reset()}>
          <footer>
            <Button onPress={() => blocker.reset()}>{t.editor.stay}</Button>
            <Button
              look="danger"
              onPress={() => {
                drafts.drop(me, page);
                blocker.proceed();
              }}
            >
              {t.editor.discard}
            </Button>
          </footer>
        </Dialog>
      )}
    </main>
  );
}

const differ = (a: Pick<Unsaved, 'document' | 'shared'>, b: Pick<Unsaved, 'document' | 'shared'>) => JSON.stringify(a.document) !== JSON.stringify(b.document) || a.shared !== b.shared;

// Preview draws a tile as soon as its query can be read: what is being written is no failure.
function Preview({ tile, document: of }: { tile: Tile; document: Document }) {
  const said = tile.chart.kind === 'text' ? undefined : !tile.query?.trim() ? t.editor.asksNothingWords : readable(tile.query) ? undefined : t.editor.unread;
  if (said) {
    return (
      <div className="card state edit-asks">
        <h2>{tile.query?.trim() ? (tile.title ?? tile.id) : t.editor.asksNothing}</h2>
        <p>{said}</p>
      </div>
    );
  }
  return <EmbeddedChart query={tile.query} variables={valuesOf(of, tile)} chart={tile.chart} title={tile.title} description={tile.description} />;
}

function readable(query: string): boolean {
  try {
    return parse(query).definitions.length > 0;
  } catch {
    return false;
  }
}
