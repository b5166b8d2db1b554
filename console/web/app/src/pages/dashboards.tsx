// Dashboards: those that the viewer sees, and one of them as pages embed it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { ArrowLeft, Copy, LayoutDashboard, Pencil, Plus, Share2, Trash2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { ask, get } from '../api';
import { server } from '../base';
import { useDraft } from '../drafts';
import { isName, nameOf } from '../board/name';
import { none } from '../chosen';
import { EmbeddedDashboard } from '../embedded';
import { useMe } from '../me';
import { inSearch } from '../search';
import { t } from '../texts';
import { Button, Checkbox, TextField } from '../ui/controls';
import { Confirm, Dialog, FormDialog, Secret } from '../ui/dialog';
import { Page, When } from '../ui/page';
import { Offers } from '../ui/restored';
import { Empty, Loaded, Loading } from '../ui/state';
import { toast } from '../ui/toast';
import { Actions } from '../admin/common';
import { useConfiguredRoles } from '../admin/known';
import type { Me } from '../viewer';

interface Entry {
  name: string;
  title: string;
  description?: string | null;
  shared: boolean;
  own: boolean;
  version: number;
  updatedAt?: string | null;
  shows: boolean; // something of it, to the viewer
}

const operation = '{ dashboards { name title description shared own version updatedAt shows } }';

const listQuery = (me: Me) => ({
  queryKey: ['dashboards'],
  queryFn: () => (me.has('Query.dashboards') ? ask<{ dashboards: Entry[] }>(operation) : get<{ dashboards: Entry[] }>('dashboards')).then(({ dashboards }) => dashboards),
});

type Doing = { what: 'copy' | 'remove'; of: Entry };

export function Dashboards() {
  const me = useMe();
  const list = useQuery(listQuery(me));
  const [doing, setDoing] = useState<Doing>();
  const [making, setMaking] = useState(false);
  const navigate = useNavigate();
  const make = me.has('Mutation.saveDashboard') ? (
    <Button look="primary" onPress={() => setMaking(true)}>
      <Plus size={16} aria-hidden />
      {t.dashboards.create}
    </Button>
  ) : undefined;
  return (
    <Page title={t.dashboards.title} lead={t.dashboards.lead} actions={make}>
      {make && !making && (
        <>
          <Offers under="dashboards/" take={() => setMaking(true)} />
          <Offers under="dashboard " take={(name) => void navigate({ to: '/dashboards/$dashboard/edit', params: { dashboard: name } })} />
        </>
      )}
      <Loaded of={list}>
        {(all) => {
          // Whoever cannot change what it asks for, or their rights, has no use for one that shows them nothing.
          const dashboards = make ? all : all.filter(({ shows }) => shows);
          return dashboards.length === 0 ? (
            <div className="card">
              <Empty icon={LayoutDashboard} title={all.length > 0 ? t.dashboards.blank : t.dashboards.empty}>
                {make ? t.dashboards.emptyWords : all.length > 0 ? t.dashboards.blankWords : t.dashboards.emptyForReaders}
              </Empty>
            </div>
          ) : (
            <ul className="boards">
              {dashboards.map((entry) => (
                <li key={entry.name} className="card board">
                  <span className="mark">
                    <LayoutDashboard size={18} strokeWidth={1.75} aria-hidden />
                  </span>
                  <div className="about">
                    <h2>
                      <Link to="/dashboards/$dashboard" params={{ dashboard: entry.name }}>
                        {entry.title}
                      </Link>
                    </h2>
                    {(entry.description ?? entry.name) !== entry.title && <p className="muted small">{entry.description ?? entry.name}</p>}
                    <p className="row tiny muted">
                      <span className="badge">{entry.shared ? t.dashboards.shared : t.dashboards.own}</span>
                      {entry.version === 0 ? t.dashboards.inFile : entry.updatedAt && <When at={entry.updatedAt} />}
                      {!entry.shows && <span className="badge warn">{t.dashboards.showsNothing}</span>}
                    </p>
                  </div>
                  <Actions
                    of={entry.title}
                    items={[
                      me.has('Mutation.saveDashboard') && entry.own && entry.version > 0 && { name: t.dashboards.edit, icon: Pencil, act: () => void navigate({ to: '/dashboards/$dashboard/edit', params: { dashboard: entry.name } }) },
                      me.has('Mutation.copyDashboard') && { name: t.dashboards.copy, icon: Copy, act: () => setDoing({ what: 'copy', of: entry }) },
                      me.has('Mutation.deleteDashboard') && entry.own && entry.version > 0 && { name: t.dashboards.remove, icon: Trash2, bad: true, act: () => setDoing({ what: 'remove', of: entry }) },
                    ]}
                  />
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
      {doing && <Change doing={doing} onClose={() => setDoing(undefined)} />}
      {making && <Make onClose={() => setMaking(false)} />}
    </Page>
  );
}

function Change({ doing: { what, of }, onClose }: { doing: Doing; onClose: () => void }) {
  const client = useQueryClient();
  const done = async (said: string) => {
    await client.invalidateQueries({ queryKey: ['dashboards'] });
    toast(said);
    onClose();
  };
  const [as, setAs] = useState(of.name);
  const [found, setFound] = useState<{ tile: string | null; message: string }[]>();
  if (found) {
    return (
      <Dialog title={t.dashboards.copied(of.title)} lead={t.dashboards.told} onClose={onClose}>
        <ul className="body findings">
          {found.map(({ tile, message }, i) => (
            <li key={i}>
              {tile && <strong>{tile}</strong>} {message}
            </li>
          ))}
        </ul>
        <footer>
          <Button look="primary" onPress={onClose}>
            {t.done}
          </Button>
        </footer>
      </Dialog>
    );
  }
  if (what === 'copy') {
    const submit = async () => {
      const { copyDashboard } = await ask<{ copyDashboard: { findings: { tile: string | null; message: string }[] } }>('mutation($name: String!, $as: String!) { copyDashboard(name: $name, as: $as) { findings { tile message } } }', { name: of.name, as });
      if (copyDashboard.findings.length === 0) return done(t.dashboards.copied(of.title));
      await client.invalidateQueries({ queryKey: ['dashboards'] });
      setFound(copyDashboard.findings);
    };
    return (
      <FormDialog title={`${t.dashboards.copy}: ${of.title}`} lead={t.dashboards.copyWords} action={t.dashboards.copy} submit={submit} onClose={onClose} disabled={!isName(as)}>
        <TextField label={t.dashboards.copyName} hint={t.dashboards.nameHint} wrong={isName(as) ? undefined : t.dashboards.nameForm} value={as} onChange={setAs} autoComplete="off" mono />
      </FormDialog>
    );
  }
  const submit = () => ask('mutation($name: String!, $version: Int!) { deleteDashboard(name: $name, version: $version) }', { name: of.name, version: of.version }).then(() => done(t.dashboards.removed(of.title)));
  return <Confirm title={`${t.dashboards.remove}: ${of.title}`} lead={t.dashboards.removeWords} name={of.name} action={t.dashboards.remove} submit={submit} onClose={onClose} />;
}

// Make keeps an empty page, and leads to the editor.
function Make({ onClose }: { onClose: () => void }) {
  const me = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const draft = useDraft('dashboards/make', { named: '', title: '', shared: false }, t.dashboards.create); // named: not as the title is
  const { named, title, shared } = draft.value;
  const name = named || nameOf(title);
  async function submit() {
    await ask('mutation($name: String!, $document: JSON!, $shared: Boolean!) { saveDashboard(name: $name, document: $document, shared: $shared) { version } }', { name, document: { title: title.trim(), tiles: [] }, shared });
    await client.invalidateQueries({ queryKey: ['dashboards'] });
    onClose();
    await navigate({ to: '/dashboards/$dashboard/edit', params: { dashboard: name } });
  }
  return (
    <FormDialog title={t.dashboards.create} lead={t.dashboards.createWords} action={t.dashboards.create} draft={draft} submit={submit} onClose={onClose} disabled={title.trim() === '' ? t.dashboards.titleMissing : name === '' ? t.dashboards.nameMissing : !isName(name)}>
      <TextField label={t.dashboards.titleLabel} value={title} onChange={(title) => draft.set({ title })} autoFocus autoComplete="off" />
      <TextField label={t.dashboards.name} hint={t.dashboards.nameHint} wrong={name === '' || isName(name) ? undefined : t.dashboards.nameForm} value={name} onChange={(named) => draft.set({ named })} autoComplete="off" mono />
      {me.allTenants && (
        <Checkbox isSelected={shared} onChange={(shared) => draft.set({ shared })} hint={t.editor.sharedHint}>
          {t.editor.shared}
        </Checkbox>
      )}
    </FormDialog>
  );
}

export function DashboardPage() {
  const { dashboard: name } = useParams({ strict: false }) as { dashboard: string };
  const me = useMe();
  const list = useQuery(listQuery(me));
  const entry = list.data?.find((one) => one.name === name);
  const navigate = useNavigate();
  const { q } = useSearch({ strict: false }) as { q?: unknown };
  const chosen = q === undefined ? none : typeof q === 'string' ? q : JSON.stringify(q);
  const choose = (text: string) => void navigate({ to: '/dashboards/$dashboard', params: { dashboard: name }, search: { q: text === none ? undefined : inSearch(text) }, replace: true });
  const [sharing, setSharing] = useState(false);
  const [refused, setRefused] = useState(false);
  useEffect(() => setRefused(false), [name]);
  const title = list.data?.find((entry) => entry.name === name)?.title ?? name;
  useEffect(() => {
    document.title = `${title} · ${t.brand}`;
  }, [title]);
  return (
    <main id="content" tabIndex={-1} className="page">
      <h1 className="hidden-visually">{title}</h1>
      <div className="page-head board-head">
        <Link to="/dashboards" className="button quiet small">
          <ArrowLeft size={16} aria-hidden />
          {t.dashboards.back}
        </Link>
        <div className="row">
          {me.has('Mutation.saveDashboard') && entry?.own && entry.version > 0 && (
            <Link to="/dashboards/$dashboard/edit" params={{ dashboard: name }} className="button">
              <Pencil size={16} aria-hidden />
              {t.dashboards.edit}
            </Link>
          )}
          {!me.only && !refused && (entry === undefined ? list.error !== null : entry.shows) && (
            <Button onPress={() => setSharing(true)}>
              <Share2 size={16} aria-hidden />
              {t.dashboards.share}
            </Button>
          )}
        </div>
      </div>
      {entry?.shows === false ? (
        <div className="card">
          <Empty icon={LayoutDashboard} title={t.dashboards.blank}>
            {t.dashboards.blankWords}
          </Empty>
        </div>
      ) : (
        list.data !== undefined || list.error !== null ? <EmbeddedDashboard key={name} name={name} onRefused={() => setRefused(true)} chosen={chosen} onChosen={choose} /> : <Loading />
      )}
      {sharing && <Share name={name} onClose={() => setSharing(false)} />}
    </main>
  );
}

// Share says how a page of others shows it: the snippet, and how its backend mints.
function Share({ name, onClose }: { name: string; onClose: () => void }) {
  const snippet = `<script type="module" src="${server('embed.js')}"></script>\n<usher-dashboard name="${name}" token-url="/api/usher-token"></usher-dashboard>`;
  const me = useMe();
  const configured = useConfiguredRoles().data ?? [];
  // Where there are roles, a token without one shows nothing.
  const known = me.roles.length > 0 ? me.roles : configured.map((role) => role.name);
  const roles = known.length > 0 ? `roles: [${(me.roles.length > 0 ? me.roles : ['…']).map((role) => JSON.stringify(role)).join(', ')}], ` : '';
  const mint = `mutation { createToken(input: { tenant: "…", subject: "…", ${roles}dashboards: ["${name}"] }) { token expiresAt findings } }`;
  return (
    <Dialog title={t.dashboards.share} lead={t.dashboards.shareWords} wide onClose={onClose}>
      <div className="body">
        <div className="field">
          <span className="label">{t.dashboards.snippet}</span>
          <Secret text={snippet} label={t.dashboards.snippet} />
        </div>
        <div className="field">
          <span className="label">{t.dashboards.mint}</span>
          <Secret text={mint} label={t.dashboards.mint} />
          {roles && <span className="hint">{t.dashboards.rolesHint(known.slice(0, 8).join(', '))}</span>}
          <span className="hint">{t.dashboards.mintHint}</span>
        </div>
      </div>
      <footer>
        <Button look="primary" onPress={onClose}>
          {t.done}
        </Button>
      </footer>
    </Dialog>
  );
}
