// Dashboards: those that the viewer sees, and one of them as pages embed it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { ArrowLeft, Copy, LayoutDashboard, Pencil, Plus, Share2, Trash2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { ask, get } from '../api';
import { server } from '../base';
import { EmbeddedDashboard } from '../embedded';
import { useMe } from '../me';
import { t } from '../texts';
import { Button, Checkbox, TextField } from '../ui/controls';
import { Confirm, Dialog, FormDialog, Secret } from '../ui/dialog';
import { Page, When } from '../ui/page';
import { Empty, Loaded } from '../ui/state';
import { toast } from '../ui/toast';
import { Actions } from '../admin/common';
import type { Me } from '../viewer';

interface Entry {
  name: string;
  title: string;
  description: string | null;
  shared: boolean;
  own: boolean;
  version: number;
  updatedAt: string | null;
}

const operation = '{ dashboards { name title description shared own version updatedAt } }';

const listQuery = (me: Me) => ({
  queryKey: ['dashboards'],
  queryFn: () => (me.only ? get<{ dashboards: Entry[] }>('dashboards').then(({ dashboards }) => dashboards) : me.has('Query.dashboards') ? ask<{ dashboards: Entry[] }>(operation).then(({ dashboards }) => dashboards) : Promise.all(me.samples.map(inFile))),
});

// inFile is a dashboard of a demo: it has no control store that would list them.
async function inFile(name: string): Promise<Entry> {
  const { dashboard } = await get<{ dashboard: { title: string; description?: string } }>(`dashboards/${name}`);
  return { name, title: dashboard.title, description: dashboard.description ?? null, shared: true, own: false, version: 0, updatedAt: null };
}

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
      <Loaded of={list}>
        {(dashboards) =>
          dashboards.length === 0 ? (
            <div className="card">
              <Empty icon={LayoutDashboard} title={t.dashboards.empty}>
                {t.dashboards.emptyWords}
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
                    <p className="muted small">{entry.description ?? entry.name}</p>
                    <p className="row tiny muted">
                      <span className="badge">{entry.shared ? t.dashboards.shared : t.dashboards.own}</span>
                      {entry.updatedAt ? <When at={entry.updatedAt} /> : t.dashboards.inFile}
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
          )
        }
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
      <FormDialog title={`${t.dashboards.copy}: ${of.title}`} lead={t.dashboards.copyWords} action={t.dashboards.copy} submit={submit} onClose={onClose} disabled={!isName.test(as)}>
        <TextField label={t.dashboards.copyName} hint={t.dashboards.nameHint} wrong={isName.test(as) ? undefined : t.dashboards.nameForm} value={as} onChange={setAs} autoComplete="off" mono />
      </FormDialog>
    );
  }
  const submit = () => ask('mutation($name: String!, $version: Int!) { deleteDashboard(name: $name, version: $version) }', { name: of.name, version: of.version }).then(() => done(t.dashboards.removed(of.title)));
  return <Confirm title={`${t.dashboards.remove}: ${of.title}`} lead={t.dashboards.removeWords} name={of.name} action={t.dashboards.remove} submit={submit} onClose={onClose} />;
}

const isName = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

// Make keeps an empty page, and leads to the editor.
function Make({ onClose }: { onClose: () => void }) {
  const me = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [title, setTitle] = useState('');
  const [shared, setShared] = useState(false);
  async function submit() {
    await ask('mutation($name: String!, $document: JSON!, $shared: Boolean!) { saveDashboard(name: $name, document: $document, shared: $shared) { version } }', { name, document: { title: title.trim(), tiles: [] }, shared });
    await client.invalidateQueries({ queryKey: ['dashboards'] });
    onClose();
    await navigate({ to: '/dashboards/$dashboard/edit', params: { dashboard: name } });
  }
  return (
    <FormDialog title={t.dashboards.create} lead={t.dashboards.createWords} action={t.dashboards.create} submit={submit} onClose={onClose} disabled={!isName.test(name) || title.trim() === ''}>
      <TextField label={t.dashboards.titleLabel} value={title} onChange={setTitle} autoFocus autoComplete="off" />
      <TextField label={t.dashboards.name} hint={t.dashboards.nameHint} wrong={name === '' || isName.test(name) ? undefined : t.dashboards.nameForm} value={name} onChange={setName} autoComplete="off" mono />
      {me.allTenants && (
        <Checkbox isSelected={shared} onChange={setShared} hint={t.editor.sharedHint}>
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
  const [sharing, setSharing] = useState(false);
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
          {!me.only && (
            <Button onPress={() => setSharing(true)}>
              <Share2 size={16} aria-hidden />
              {t.dashboards.share}
            </Button>
          )}
        </div>
      </div>
      <EmbeddedDashboard key={name} name={name} />
      {sharing && <Share name={name} onClose={() => setSharing(false)} />}
    </main>
  );
}

// Share says how a page of others shows it: the snippet, and how its backend mints.
function Share({ name, onClose }: { name: string; onClose: () => void }) {
  const snippet = `<script type="module" src="${server('embed.js')}"></script>\n<usher-dashboard name="${name}" token-url="/api/usher-token"></usher-dashboard>`;
  const mint = `mutation { createToken(input: { tenant: "…", subject: "…", dashboards: ["${name}"] }) { token expiresAt } }`;
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
