// Tokens: what browsers hold, and sessions. Minting shows what such a token sees.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Ban, CircleAlert, Eye, Plus, TicketCheck } from 'lucide-react';
import { useState } from 'react';
import { ask } from '../api';
import { server } from '../base';
import { EmbeddedDashboard } from '../embedded';
import { useMe } from '../me';
import { Badges } from '../pages/home';
import { t } from '../texts';
import { Button, Checkbox, Checks, Select, TextField } from '../ui/controls';
import { Confirm, Dialog, FormDialog, Secret, useSubmit } from '../ui/dialog';
import { Page, When } from '../ui/page';
import { Empty } from '../ui/state';
import { toast } from '../ui/toast';
import type { Scope } from '../viewer';
import { Actions, admin, Listed, names, parseObject, State, TenantPicker, usePaged } from './common';

interface Token {
  id: string;
  kind: 'EMBED' | 'SESSION';
  tenant: string | null;
  subject: string;
  name: string | null;
  roles: string[];
  scopes: Scope[];
  datasets: string[] | null;
  filtered: string[];
  parameters: string[];
  savedOnly: boolean;
  mintedBy: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  revokedAt: string | null;
}

const listed = `query($kind: TokenKind!, $tenant: String, $living: Boolean!, $after: String) { admin { it: tokens(kind: $kind, tenant: $tenant, living: $living, after: $after) {
  items { id kind tenant subject name roles scopes datasets filtered parameters savedOnly mintedBy expiresAt lastUsedAt revokedAt } next } } }`;

export function Tokens() {
  const me = useMe();
  const navigate = useNavigate();
  const { tenant } = useSearch({ strict: false }) as { tenant?: string };
  const [kind, setKind] = useState<string>('EMBED');
  const [living, setLiving] = useState(true);
  const [minting, setMinting] = useState(false);
  const [revoking, setRevoking] = useState<Token>();
  const tokens = usePaged<Token>(['tokens', kind, tenant ?? '', living], listed, { kind, tenant, living });
  const mints = me.has('Mutation.createToken');
  return (
    <Page
      title={t.tokens.title}
      lead={t.tokens.lead}
      actions={
        mints && (
          <Button look="primary" onPress={() => setMinting(true)}>
            <Plus size={16} aria-hidden />
            {t.tokens.mint}
          </Button>
        )
      }
    >
      <div className="filters">
        <TenantPicker label={t.tokens.of} value={tenant} none={t.all} onChange={(next) => void navigate({ to: '/tokens', search: { tenant: next } })} />
        <Select label={t.tokens.kind} value={kind} onChange={setKind} choices={Object.entries(t.tokens.kinds).map(([id, name]) => ({ id, name }))} />
        <Checkbox isSelected={living} onChange={setLiving}>
          {t.tokens.living}
        </Checkbox>
      </div>
      <Listed
        of={tokens}
        label={t.tokens.title}
        empty={
          <Empty icon={TicketCheck} title={t.tokens.empty} action={mints && kind === 'EMBED' ? <Button onPress={() => setMinting(true)}>{t.tokens.mint}</Button> : living ? <Button onPress={() => setLiving(false)}>{t.all}</Button> : undefined}>
            {t.tokens.emptyWords}
          </Empty>
        }
        head={
          <>
            <th scope="col">{t.tokens.subject}</th>
            <th scope="col">{t.tokens.state}</th>
            <th scope="col" className="lesser">
              {t.tokens.grants}
            </th>
            <th scope="col" className="lesser">
              {t.tokens.until}
            </th>
            <th scope="col" className="lesser">
              {t.tokens.lastUsed}
            </th>
            <th scope="col">
              <span className="hidden-visually">{t.actions}</span>
            </th>
          </>
        }
      >
        {(token) => (
          <tr key={token.id}>
            <td className="break">
              <span className="lead">{token.name ?? token.subject}</span>
              <span className="under">
                {token.tenant ?? t.allTenants} · {t.tokens.by} {token.mintedBy} · <span className="mono">{token.id}</span>
              </span>
            </td>
            <td>
              <State {...token} />
            </td>
            <td className="lesser">
              <Badges
                of={[
                  ...token.roles,
                  ...(token.datasets ?? []),
                  ...token.filtered.map((name) => `${name} ${t.tokens.filteredMark}`),
                  ...token.parameters.map((name) => `$${name}`),
                  ...(token.savedOnly ? [t.tokens.savedOnly] : []),
                ]}
                none={t.tokens.allRoles}
              />
            </td>
            <td className="lesser">
              <When at={token.expiresAt} otherwise={t.never} />
            </td>
            <td className="lesser">
              <When at={token.lastUsedAt} otherwise={t.never} />
            </td>
            <td className="actions">
              <Actions of={token.name ?? token.subject} items={[!token.revokedAt && me.has('AdminMutation.revokeTokens') && { name: t.tokens.revoke, icon: Ban, bad: true, act: () => setRevoking(token) }]} />
            </td>
          </tr>
        )}
      </Listed>
      {minting && <Mint tenant={tenant} onClose={() => setMinting(false)} />}
      {revoking && <Revoke token={revoking} onClose={() => setRevoking(undefined)} />}
    </Page>
  );
}

function Revoke({ token, onClose }: { token: Token; onClose: () => void }) {
  const client = useQueryClient();
  async function submit() {
    const n = await admin<number>('mutation($by: Revocation!) { admin { it: revokeTokens(by: $by) } }', { by: { token: token.id } });
    await client.invalidateQueries({ queryKey: ['tokens'] });
    toast(t.tokens.revoked(n));
    onClose();
  }
  return <Confirm title={`${t.tokens.revoke}: ${token.name ?? token.subject}`} lead={t.tokens.revokeWords} action={t.tokens.revoke} submit={submit} onClose={onClose} />;
}

interface Sees {
  name: string;
  label: string | null;
  columns: { name: string }[];
}

// look asks with a token what it sees.
async function look(token: string): Promise<Sees[]> {
  const { datasets } = await ask<{ datasets: Sees[] }>('{ datasets { name label columns { name } } }', undefined, { token });
  return datasets;
}

const mutation = 'mutation($input: NewToken!) { createToken(input: $input) { id token expiresAt findings } }';

type Issued = { id: string; token: string; expiresAt: string | null; findings: string[] };

// snippet is what a page has to say to show a dashboard.
const snippet = (name: string) => `<script type="module" src="${server('embed.js')}"></script>\n<usher-dashboard name="${name}" token-url="/api/usher-token"></usher-dashboard>`;

function Mint({ tenant: given, onClose }: { tenant?: string; onClose: () => void }) {
  const me = useMe();
  const client = useQueryClient();
  const [tenant, setTenant] = useState(given);
  const [subject, setSubject] = useState('');
  const [name, setName] = useState('');
  const [roles, setRoles] = useState('');
  const [datasets, setDatasets] = useState('');
  const [filters, setFilters] = useState('');
  const [parameters, setParameters] = useState('');
  const [expires, setExpires] = useState('');
  const [savedOnly, setSavedOnly] = useState(false);
  const [write, setWrite] = useState(false);
  const [boards, setBoards] = useState<string[]>([]);
  const [tried, setTried] = useState<Issued>();
  const offered = useQuery({
    queryKey: ['dashboards', 'offered'],
    enabled: me.has('Query.dashboards'),
    queryFn: () => ask<{ dashboards: { name: string; title: string; shared: boolean }[] }>('{ dashboards { name title shared } }').then(({ dashboards }) => dashboards),
  });
  const [sees, setSees] = useState<Sees[]>();
  const [made, setMade] = useState<Issued>();
  const preview = useSubmit();
  const where = parseObject(filters);
  const values = parseObject(parameters);
  const ready = subject.trim() !== '' && where !== undefined && values !== undefined;

  // Nothing that is minted outlives what it was minted with.
  const left = me.expiresAt ? (new Date(me.expiresAt).getTime() - Date.now()) / 1000 : Infinity;
  const lives = Object.entries(t.tokens.expiry).filter(([seconds]) => Number(seconds) < left);

  const input = (seconds: number) => ({
    tenant,
    subject: subject.trim(),
    name: name.trim() || undefined,
    roles: names(roles),
    datasets: datasets.trim() ? names(datasets) : undefined,
    filters: Object.entries(where ?? {}).map(([dataset, rows]) => ({ dataset, where: rows })),
    parameters: Object.entries(values ?? {}).map(([parameter, value]) => ({ name: parameter, value })),
    savedOnly,
    write,
    dashboards: boards.length > 0 ? boards : undefined,
    expiresAt: seconds ? new Date(Date.now() + seconds * 1000).toISOString() : undefined,
  });

  // What a token would see is found out with one that ends at once.
  const tryOut = () =>
    void preview.submit(async () => {
      await drop();
      const { createToken } = await ask<{ createToken: Issued }>(mutation, { input: input(boards.length > 0 ? 300 : 60) });
      if (boards.length > 0) {
        setTried(createToken); // it shows the dashboards until something else is tried
        return;
      }
      try {
        setSees(savedOnly ? [] : await look(createToken.token));
      } finally {
        await admin('mutation($by: Revocation!) { admin { it: revokeTokens(by: $by) } }', { by: { token: createToken.id } }).catch(() => undefined);
      }
    });

  // drop ends the token that something was tried with.
  async function drop() {
    setTried(undefined);
    setSees(undefined);
    if (tried) await admin('mutation($by: Revocation!) { admin { it: revokeTokens(by: $by) } }', { by: { token: tried.id } }).catch(() => undefined);
  }
  const close = () => {
    void drop();
    onClose();
  };

  async function submit() {
    const { createToken } = await ask<{ createToken: Issued }>(mutation, { input: input(Number(expires)) });
    await drop();
    await client.invalidateQueries({ queryKey: ['tokens'] });
    setMade(createToken);
    if (boards.length === 0) setSees(savedOnly ? [] : await look(createToken.token).catch(() => []));
  }

  if (made) {
    return (
      <Dialog title={t.tokens.made} lead={t.tokens.madeWords} wide onClose={onClose} keep>
        <div className="body">
          <Secret text={made.token} label={t.tokens.made} />
          <p className="muted small">
            {t.tokens.until} <When at={made.expiresAt} otherwise={t.never} />
          </p>
          <Told findings={made.findings} />
          {boards.map((name) => (
            <div className="field" key={name}>
              <span className="label">{t.tokens.snippetOf(name)}</span>
              <Secret text={snippet(name)} label={t.tokens.snippetOf(name)} />
            </div>
          ))}
          {sees && <Seen sees={sees} savedOnly={savedOnly} />}
          {boards.length > 0 && <Shown token={made.token} boards={boards} />}
        </div>
        <footer>
          <Button look="primary" onPress={onClose}>
            {t.done}
          </Button>
        </footer>
      </Dialog>
    );
  }
  return (
    <FormDialog
      title={t.tokens.mint}
      lead={t.tokens.mintWords}
      wide
      action={t.tokens.mint}
      submit={submit}
      onClose={close}
      disabled={!ready}
      extra={
        <Button look="quiet" className="start" isDisabled={!ready || preview.pending} onPress={tryOut}>
          <Eye size={16} aria-hidden />
          {preview.pending ? t.tokens.previewing : t.tokens.preview}
        </Button>
      }
    >
      <div className="columns">
        <TenantPicker label={t.tokens.of} value={tenant} none={me.allTenants ? t.allTenants : undefined} onChange={setTenant} />
        <TextField label={t.tokens.subject} hint={t.tokens.subjectHint} value={subject} onChange={setSubject} autoFocus autoComplete="off" />
        <TextField label={t.tokens.name} value={name} onChange={setName} autoComplete="off" />
        <Select label={t.tokens.expires} value={expires} onChange={setExpires} choices={[{ id: '', name: t.tokens.expiryUsual }, ...lives.map(([id, words]) => ({ id, name: words }))]} />
      </div>
      <div className="columns">
        <TextField label={t.tokens.roles} hint={t.users.rolesHint} value={roles} onChange={setRoles} autoComplete="off" />
        <TextField label={t.tokens.datasets} hint={t.tokens.datasetsHint} value={datasets} onChange={setDatasets} autoComplete="off" />
      </div>
      <div className="columns">
        <TextField label={t.tokens.filters} hint={t.tokens.filtersHint} wrong={where ? undefined : t.tokens.badJSON} value={filters} onChange={setFilters} lines={3} mono />
        <TextField label={t.tokens.parameters} hint={t.tokens.parametersHint} wrong={values ? undefined : t.tokens.badJSON} value={parameters} onChange={setParameters} lines={3} mono />
      </div>
      {(offered.data?.length ?? 0) > 0 && (
        <Checks
          label={t.tokens.boards}
          value={boards}
          onChange={(next) => {
            setBoards(next);
            void drop();
          }}
          choices={offered.data!.filter(({ shared }) => shared || !me.allTenants).map(({ name: id, title }) => ({ id, name: title, under: id }))}
        />
      )}
      <Checkbox isSelected={savedOnly} onChange={setSavedOnly} hint={t.tokens.savedOnlyHint}>
        {t.tokens.savedOnly}
      </Checkbox>
      {me.can('WRITE_DATA') && (
        <Checkbox isSelected={write} onChange={setWrite} hint={t.tokens.writeHint}>
          {t.tokens.write}
        </Checkbox>
      )}
      {preview.error && (
        <p className="note bad" role="alert">
          <CircleAlert size={16} aria-hidden />
          {preview.error}
        </p>
      )}
      {sees && <Seen sees={sees} savedOnly={savedOnly} />}
      {tried && <Told findings={tried.findings} />}
      {tried && <Shown token={tried.token} boards={boards} />}
    </FormDialog>
  );
}

function Told({ findings }: { findings: string[] }) {
  return findings.map((finding) => (
    <p key={finding} className="note warn" role="alert">
      <CircleAlert size={16} aria-hidden />
      {finding}
    </p>
  ));
}

// Shown are the dashboards as the token shows them.
function Shown({ token, boards }: { token: string; boards: string[] }) {
  const [chosen, setChosen] = useState(boards[0]!);
  const name = boards.includes(chosen) ? chosen : boards[0]!;
  return (
    <section aria-label={t.tokens.sees} className="stack">
      <h3>{t.tokens.sees}</h3>
      {boards.length > 1 && <Select label={t.tokens.boards} value={name} onChange={setChosen} choices={boards.map((id) => ({ id, name: id }))} />}
      <div className="token-board">
        <EmbeddedDashboard key={`${token} ${name}`} name={name} token={token} />
      </div>
    </section>
  );
}

function Seen({ sees, savedOnly }: { sees: Sees[]; savedOnly: boolean }) {
  return (
    <section aria-label={t.tokens.sees} aria-live="polite" className="stack">
      <h3>
        {t.tokens.sees} {!savedOnly && <span className="badge">{t.tokens.seesWords(sees.length)}</span>}
      </h3>
      {savedOnly ? (
        <p className="note">{t.tokens.seesSaved}</p>
      ) : sees.length === 0 ? (
        <p className="note warn">{t.tokens.seesNothing}</p>
      ) : (
        <ul className="sees">
          {sees.map(({ name, label, columns }) => (
            <li key={name}>
              <span className="lead">{label ?? name}</span>
              <span className="muted tiny break">{columns.map((column) => column.name).join(', ')}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

