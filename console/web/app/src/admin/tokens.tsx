// Tokens: what browsers hold, and sessions. Minting shows what such a token sees.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { Ban, CircleAlert, Eye, TicketCheck } from 'lucide-react';
import { useEffect, useState } from 'react';
import { ask } from '../api';
import { server } from '../base';
import { useDraft } from '../drafts';
import { EmbeddedDashboard } from '../embedded';
import { useMe } from '../me';
import { Badges } from '../pages/home';
import { t } from '../texts';
import { Button, Checkbox, Select, TextField, type Choice } from '../ui/controls';
import { Confirm, Dialog, FormDialog, Secret, useSubmit, Wrong } from '../ui/dialog';
import { Names } from '../ui/names';
import { When } from '../ui/page';
import { Offers } from '../ui/restored';
import { toast } from '../ui/toast';
import type { Scope } from '../scope';
import type { Me } from '../viewer';
import { admin, everyTenant, Lesser, parseObject, scopeName, State, tenantOf, TenantPicker, type PageOf } from './common';
import { Card, Detail, Facts } from './detail';
import { useBoards, useRoles } from './known';
import { granted, limitFields, LimitFields, limitsForm, limitTexts, type Limits } from './limits';
import { Listing, Named, useFilter, usePaged } from './list';
import { useConfiguration, useDatasets } from './tenant/record';

interface Account {
  source: string;
  set: string[];
}

interface Token {
  id: string;
  kind: 'EMBED' | 'SESSION';
  tenant: string | null;
  subject: string;
  name: string | null;
  email: string | null;
  roles: string[];
  scopes: Scope[];
  strategy: string | null;
  strategies: { dataset: string; strategy: string }[];
  datasets: string[] | null;
  filtered: string[];
  parameters: string[];
  cleared: string[];
  metadata: string[];
  accounts: Account[];
  savedOnly: boolean;
  dashboards: string[] | null;
  rate: number | null;
  limits: Limits;
  inactivitySeconds: number | null;
  mintedBy: string;
  actedBy: string | null;
  reason: string | null;
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  revokedAt: string | null;
}

const listed = `query($kind: TokenKind, $tenant: String, $search: String, $living: Boolean!, $after: String) { admin { it: tokens(kind: $kind, tenant: $tenant, search: $search, living: $living, after: $after) {
  items { id kind tenant subject name email roles scopes strategy strategies { dataset strategy } datasets filtered parameters cleared metadata accounts { source set } savedOnly dashboards rate ${limitFields} inactivitySeconds mintedBy actedBy reason createdAt expiresAt lastUsedAt revokedAt } next } } }`;

const shownName = ({ name, subject }: Token) => name ?? subject;

export function Tokens() {
  const me = useMe();
  const { tenant, kind = 'EMBED', ended = false, search, set } = useFilter();
  const [minting, setMinting] = useState(false);
  const [revoking, setRevoking] = useState<Token>();
  const tokens = usePaged<Token>(['tokens', kind, tenant ?? '', search ?? '', ended], listed, { kind, tenant, search, living: !ended });
  const mints = me.has('Mutation.createToken');
  return (
    <Listing
      title={t.tokens.title}
      lead={t.tokens.lead}
      create={mints && { name: t.tokens.mint, act: () => setMinting(true) }}
      search={t.tokens.search}
      filters={
        <>
          <TenantPicker label={t.tokens.of} value={tenant} others={[{ id: '', name: t.all }]} onChange={(next) => set({ tenant: next })} />
          <Select label={t.tokens.kind} value={kind} onChange={(next) => set({ kind: next === 'EMBED' ? undefined : next })} choices={Object.entries(t.tokens.kinds).map(([id, name]) => ({ id, name }))} />
          <Checkbox isSelected={!ended} onChange={(living) => set({ ended: living ? undefined : true })}>
            {t.tokens.living}
          </Checkbox>
        </>
      }
      of={tokens}
      id={({ id }) => id}
      name={shownName}
      columns={[
        {
          name: t.tokens.subject,
          text: true,
          cell: (token) => (
            <Named
              to={{ to: '/tokens/$token', params: { token: token.id }, search: { kind: token.kind === 'EMBED' ? undefined : token.kind } }}
              under={
                <>
                  {token.tenant ?? t.allTenants} · {t.tokens.by} {token.mintedBy} · <span className="mono">{token.id}</span>
                </>
              }
            >
              {shownName(token)}
            </Named>
          ),
        },
        { name: t.tokens.state, cell: (token) => <State {...token} /> },
        { name: t.tokens.grants, lesser: true, cell: (token) => <Badges of={grants(token)} none={t.tokens.allRoles} /> },
        { name: t.tokens.until, lesser: true, cell: ({ expiresAt }) => <When at={expiresAt} otherwise={t.never} /> },
        { name: t.tokens.lastUsed, lesser: true, cell: ({ lastUsedAt }) => <When at={lastUsedAt} otherwise={t.never} /> },
      ]}
      actions={(token) => [revokes(me, token) && { name: t.tokens.revoke, icon: Ban, bad: true, act: () => setRevoking(token) }]}
      before={mints && !minting && <Offers under="tokens/" take={() => setMinting(true)} />}
      empty={{
        icon: TicketCheck,
        title: t.tokens.empty,
        words: t.tokens.emptyWords,
        action: kind !== 'EMBED' && (ended ? <></> : <Button onPress={() => set({ ended: true })}>{t.tokens.withEnded}</Button>),
      }}
    >
      {minting && <Mint tenant={tenant} onClose={() => setMinting(false)} />}
      {revoking && <Revoke token={revoking} onClose={() => setRevoking(undefined)} />}
    </Listing>
  );
}

const revokes = (me: Me, token: Token) => !token.revokedAt && me.has('AdminMutation.revokeTokens');

const grants = (token: Token) => [
  ...token.roles,
  ...few(token.datasets ?? []),
  ...few(token.filtered.map((name) => `${name} ${t.tokens.filteredMark}`)),
  ...token.parameters.map((name) => `$${name}`),
  ...(token.savedOnly ? [t.tokens.savedOnly] : []),
  ...few(token.dashboards ?? []),
  ...granted(token).map(t.tokens.aMinute),
];

// few of many names, for a row.
const few = (names: string[]) => (names.length > 4 ? [...names.slice(0, 3), t.tenants.andMore(names.length - 3)] : names);

export function TokenPage() {
  const me = useMe();
  const { token: id } = useParams({ strict: false }) as { token: string };
  const { kind } = useSearch({ strict: false }) as { kind?: string };
  const [revoking, setRevoking] = useState<Token>();
  const asked = useQuery({
    queryKey: ['tokens', 'one', id],
    queryFn: () => admin<PageOf<Token>>(listed, { kind, search: id, living: false }).then(({ items }) => items.find((token) => token.id === id) ?? null),
  });
  return (
    <Detail<Token>
      title={asked.data ? shownName(asked.data) : id}
      under={<span className="mono">{id}</span>}
      back={{ to: { to: '/tokens', search: { kind } }, name: t.tokens.title }}
      of={asked}
      gone={t.tokens.gone}
      actions={
        asked.data && revokes(me, asked.data) && (
          <Button look="danger" onPress={() => setRevoking(asked.data!)}>
            <Ban size={16} aria-hidden />
            {t.tokens.revoke}
          </Button>
        )
      }
    >
      {(token) => (
        <div className="home">
          <Card title={t.tokens.grants} lead={t.tokens.grantsWords}>
            <Facts
              of={[
                { name: t.tokens.roles, value: <Badges of={token.roles} /> },
                { name: t.keys.scopes, value: <Badges of={token.scopes.map(scopeName)} /> },
                { name: t.tokens.datasets, value: token.datasets ? <Badges of={token.datasets} /> : <span className="muted">{t.tokens.allRoles}</span> },
                { name: t.tokens.filters, value: <Badges of={token.filtered} /> },
                { name: t.tokens.parameters, value: <Badges of={token.parameters} /> },
                token.cleared.length > 0 && { name: t.tokens.cleared, value: <Badges of={token.cleared} /> },
                token.metadata.length > 0 && { name: t.tokens.metadata, value: <Badges of={token.metadata} /> },
                token.accounts.length > 0 && { name: t.tenants.accounts, value: token.accounts.map(({ source, set }) => <div key={source}>{source} <Badges of={set} /></div>) },
                (token.strategy !== null || token.strategies.length > 0) && { name: t.tokens.strategy, value: <Badges of={[...(token.strategy ? [token.strategy] : []), ...token.strategies.map(({ dataset, strategy }) => `${dataset}: ${strategy}`)]} /> },
                token.dashboards !== null && { name: t.tokens.boards, value: <Badges of={token.dashboards} /> },
                token.savedOnly && { name: t.tokens.savedOnly, value: t.tokens.savedOnlyHint },
                { name: t.limits.aMinute, value: <Badges of={granted(token)} none={t.tokens.limitsNone(token.tenant !== null)} /> },
              ]}
            />
          </Card>
          <Card title={t.tokens.life} actions={<State {...token} />}>
            <Facts
              of={[
                { name: t.tokens.of, value: token.tenant ?? t.allTenants },
                { name: t.tokens.subject, value: token.subject },
                token.email !== null && { name: t.users.email, value: token.email },
                { name: t.tokens.by, value: token.mintedBy },
                token.actedBy !== null && { name: t.audit.acted, value: t.audit.actedBy(token.actedBy, token.reason ?? '') },
                { name: t.tenants.since, value: <When at={token.createdAt} /> },
                { name: t.tokens.until, value: <When at={token.expiresAt} otherwise={t.never} /> },
                { name: t.tokens.lastUsed, value: <When at={token.lastUsedAt} otherwise={t.never} /> },
                token.revokedAt !== null && { name: t.tokens.states.revoked, value: <When at={token.revokedAt} /> },
                token.inactivitySeconds !== null && { name: t.tokens.inactivity, value: t.count(token.inactivitySeconds, 'second', 'seconds') },
              ]}
            />
          </Card>
          {revoking && <Revoke token={revoking} onClose={() => setRevoking(undefined)} />}
        </div>
      )}
    </Detail>
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
  return <Confirm title={`${t.tokens.revoke}: ${shownName(token)}`} lead={t.tokens.revokeWords} action={t.tokens.revoke} submit={submit} onClose={onClose} />;
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

// places are the fields that refusals of the server are about, by what they say; the
// first that fits.
const places = [
  ['roles', /\broles?\b/i],
  ['strategy', /\bstrateg/i],
  ['parameters', /\bparameter/i],
  ['metadata', /\bmetadata\b/i],
  ['filters', /\bfilter|\bwhere\b|\bcondition/i],
  ['timezone', /\btime ?zone\b/i],
  ['idle', /\binactivity|\bunused\b/i],
  ['boards', /\bdashboards?\b/i],
  ['datasets', /\bdatasets?\b/i],
] as const;
type Place = (typeof places)[number][0];

// refused is a refusal in plain words, beside the field that it is about.
function refused(error: string | undefined): { at?: Place; words?: string } {
  if (!error) return {};
  const role = /does not hold role (\S+)/.exec(error)?.[1];
  if (role) return { at: 'roles', words: t.tokens.roleNotHeld(role) };
  const missing = /unknown role "?([^"\s]+)/.exec(error)?.[1];
  if (missing) return { at: 'roles', words: t.tokens.roleUnknown([missing]) };
  const words = error[0]!.toUpperCase() + error.slice(1) + (/[.!?]$/.test(error) ? '' : '.');
  return { at: places.find(([, about]) => about.test(error))?.[0], words };
}

const whole = (text: string, least: number) => text.trim() === '' || (/^\d{1,9}$/.test(text.trim()) && Number(text) >= least);

function isTimezone(name: string): boolean {
  try {
    return name === '' || Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}

// unknown are names that are none of those that are known; nothing is, where none are.
const unknown = (names: string[], known: Choice[]) => (known.length === 0 ? [] : names.filter((name) => !known.some(({ id }) => id === name)));

// badFilters says what is wrong with filters, before the server does.
function badFilters(where: Record<string, unknown> | undefined, known: Choice[]): string | undefined {
  if (!where) return t.tokens.badJSON;
  const strange = unknown(Object.keys(where), known);
  if (strange.length > 0) return t.tokens.datasetUnknown(strange);
  const bad = Object.entries(where).find(([, rows]) => typeof rows !== 'object' || rows === null || Array.isArray(rows));
  return bad && t.tokens.filterBad(bad[0]);
}

// reveal shows what has come below the fold.
function reveal(element: HTMLElement | null) {
  element?.scrollIntoView({ block: 'nearest' });
}

// began is what the form says at first; an empty tenant is not chosen yet.
const began = (tenant: string | undefined) => ({
  tenant: tenant ?? '',
  subject: '',
  name: '',
  roles: [] as string[],
  datasets: [] as string[],
  filters: '',
  parameters: '',
  strategy: '',
  timezone: '',
  told: false,
  idle: '',
  limits: limitTexts(),
  expires: '',
  savedOnly: false,
  write: false,
  boards: [] as string[],
});

function Mint({ tenant: given, onClose }: { tenant?: string; onClose: () => void }) {
  const me = useMe();
  const client = useQueryClient();
  const draft = useDraft('tokens/mint', began(given), t.tokens.mint);
  const { tenant: chosen, subject, name, roles, datasets, filters, parameters, strategy, timezone, idle, limits: texts, expires, savedOnly, write, boards } = draft.value;
  const tenant = chosen || undefined;
  const known = useRoles(tenantOf(tenant));
  const seen = useDatasets();
  const configuration = useConfiguration();
  const strategies = configuration?.strategies;
  // Metadata may be secrets, so it is no part of the draft, which knows only that there was some.
  const [metadata, setMetadata] = useState('');
  const lost = draft.found && draft.value.told && metadata === '';
  const tell = (text: string) => {
    setMetadata(text);
    draft.set({ told: text.trim() !== '' });
  };
  const limits = limitsForm(texts, (limits) => draft.set({ limits }));
  const [tried, setTried] = useState<Issued>();
  const offered = useBoards(tenantOf(tenant) ?? me.tenant ?? undefined);
  const [sees, setSees] = useState<Sees[]>();
  const [made, setMade] = useState<Issued>();
  const where = parseObject(filters);
  const values = parseObject(parameters);
  const told = parseObject(metadata);
  const form = JSON.stringify([tenant, subject, name, roles, datasets, filters, parameters, strategy, timezone, metadata, idle, limits.texts, expires, savedOnly, write, boards]);
  const preview = useSubmit(form);
  const bad = {
    filters: badFilters(where, seen),
    parameters: values ? undefined : t.tokens.badJSON,
    metadata: told ? undefined : t.tokens.badJSON,
    timezone: isTimezone(timezone.trim()) ? undefined : t.tokens.timezoneBad,
    idle: whole(idle, 2) ? undefined : t.tokens.idleBad,
  };
  const asksTenant = me.allTenants && tenant === undefined;
  const missing = asksTenant ? t.tokens.tenantMissing : subject.trim() === '' ? t.tokens.subjectMissing : undefined;
  const ready = missing === undefined && !limits.bad && !Object.values(bad).some(Boolean);

  // What was tried is of what the form said then.
  useEffect(() => void drop(), [form]);

  // Nothing that is minted outlives what it was minted with.
  const left = me.expiresAt ? (new Date(me.expiresAt).getTime() - Date.now()) / 1000 : Infinity;
  const lives = Object.entries(t.tokens.expiry).filter(([seconds]) => Number(seconds) < left);

  const input = (seconds: number) => ({
    tenant: tenantOf(tenant),
    subject: subject.trim(),
    name: name.trim() || undefined,
    roles,
    datasets: datasets.length > 0 ? datasets : undefined,
    filters: Object.entries(where ?? {}).map(([dataset, rows]) => ({ dataset, where: rows })),
    parameters: Object.entries(values ?? {}).map(([parameter, value]) => ({ name: parameter, value })),
    strategy: strategy || undefined,
    timezone: timezone.trim() || undefined,
    metadata: Object.entries(told ?? {}).map(([what, value]) => ({ name: what, value })),
    inactivitySeconds: idle.trim() ? Number(idle) * 60 : undefined,
    limits: limits.input(),
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
            {idle.trim() && t.tokens.sooner(Number(idle))}
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
      draft={draft}
      disabled={missing ?? !ready}
      form={form}
      extra={
        <Button look="quiet" className="start" isDisabled={!ready || preview.pending} onPress={tryOut}>
          <Eye size={16} aria-hidden />
          {preview.pending ? t.tokens.previewing : t.tokens.preview}
        </Button>
      }
    >
      {(error) => {
        const refusal = refused(error ?? preview.error);
        const wrong = (at: Place) => (refusal.at === at ? refusal.words : undefined);
        const strange = unknown(roles, known);
        const strangers = unknown(datasets, seen);
        const noBoards = unknown(boards, offered);
        return (
          <>
            <div className="columns">
              <TenantPicker label={t.tokens.of} hint={t.tokens.ofHint} value={tenant} others={me.allTenants ? [{ id: everyTenant, name: t.allTenants }] : []} onChange={(next) => draft.set({ tenant: next ?? '' })} autoFocus={asksTenant} />
              {me.allTenants && !me.has('AdminQuery.tenants') && <TextField label={t.tokens.of} hint={t.tokens.ofTyped} value={tenant ?? ''} onChange={(id) => draft.set({ tenant: id.trim() })} autoFocus={asksTenant} autoComplete="off" />}
              <TextField label={t.tokens.subject} hint={t.tokens.subjectHint} value={subject} onChange={(subject) => draft.set({ subject })} autoFocus={!asksTenant} autoComplete="off" />
              <TextField label={t.tokens.name} value={name} onChange={(name) => draft.set({ name })} autoComplete="off" />
              <Select label={t.tokens.expires} value={expires} onChange={(expires) => draft.set({ expires })} choices={[{ id: '', name: t.tokens.expiryUsual }, ...lives.map(([id, words]) => ({ id, name: words }))]} />
            </div>
            <div className="columns">
              <Names label={t.tokens.roles} hint={t.users.rolesHint} wrong={wrong('roles') ?? (strange.length > 0 ? t.tokens.roleUnknown(strange) : undefined)} value={roles} onChange={(roles) => draft.set({ roles })} known={known} />
              <Names label={t.tokens.datasets} hint={t.tokens.datasetsHint} wrong={wrong('datasets') ?? (strangers.length > 0 ? t.tokens.datasetUnknown(strangers) : undefined)} value={datasets} onChange={(datasets) => draft.set({ datasets })} known={seen} />
            </div>
            <div className="columns">
              <TextField label={t.tokens.filters} hint={t.tokens.filtersHint} wrong={bad.filters ?? wrong('filters')} value={filters} onChange={(filters) => draft.set({ filters })} lines={3} mono />
              <TextField label={t.tokens.parameters} hint={t.tokens.parametersHint} wrong={bad.parameters ?? wrong('parameters')} value={parameters} onChange={(parameters) => draft.set({ parameters })} lines={3} mono />
            </div>
            <Lesser open={(refusal.at !== undefined && ['strategy', 'timezone', 'metadata', 'idle'].includes(refusal.at)) || lost}>
              <summary>{t.tokens.more}</summary>
              <div className="columns">
                {strategies && <Select label={t.tokens.strategy} value={strategy} onChange={(strategy) => draft.set({ strategy })} choices={[{ id: '', name: t.tokens.strategyUsual }, ...strategies.map(({ name: id }) => ({ id, name: id }))]} />}
                {!strategies && <TextField label={t.tokens.strategy} hint={t.tokens.strategyUsual} wrong={wrong('strategy')} value={strategy} onChange={(strategy) => draft.set({ strategy })} autoComplete="off" />}
                <TextField label={t.tokens.timezone} hint={t.tokens.timezoneHint} wrong={bad.timezone ?? wrong('timezone')} value={timezone} onChange={(timezone) => draft.set({ timezone })} autoComplete="off" />
                <TextField label={t.tokens.idle} hint={t.tokens.idleHint} wrong={bad.idle ?? wrong('idle')} value={idle} onChange={(idle) => draft.set({ idle })} inputMode="numeric" autoComplete="off" />
                <TextField label={t.tokens.metadata} hint={t.tokens.metadataHint} wrong={lost ? t.drafts.notKept : (bad.metadata ?? wrong('metadata'))} value={metadata} onChange={tell} lines={2} mono />
              </div>
            </Lesser>
            <Lesser open={limits.bad}>
              <summary>{t.tokens.limits}</summary>
              <div className="columns">
                <LimitFields form={limits} usual={configuration?.tokenLimits} narrows />
              </div>
            </Lesser>
            <Names label={t.tokens.boards} hint={t.tokens.boardsHint} wrong={wrong('boards') ?? (noBoards.length > 0 ? t.tokens.boardUnknown(noBoards) : undefined)} value={boards} onChange={(boards) => draft.set({ boards })} known={offered} />
            <Checkbox isSelected={savedOnly} onChange={(savedOnly) => draft.set({ savedOnly })} hint={t.tokens.savedOnlyHint}>
              {t.tokens.savedOnly}
            </Checkbox>
            {me.can('WRITE_DATA') && (
              <Checkbox isSelected={write} onChange={(write) => draft.set({ write })} hint={t.tokens.writeHint}>
                {t.tokens.write}
              </Checkbox>
            )}
            {refusal.words && (!refusal.at || (refusal.at === 'strategy' && strategies)) && (
              <div ref={reveal}>
                <Wrong>{refusal.words}</Wrong>
              </div>
            )}
            {sees && <Seen sees={sees} savedOnly={savedOnly} />}
            {tried && <Told findings={tried.findings} />}
            {tried && <Shown token={tried.token} boards={boards} />}
          </>
        );
      }}
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
    <section aria-label={t.tokens.sees} className="stack preview" ref={reveal}>
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
    <section aria-label={t.tokens.sees} aria-live="polite" className="stack preview" ref={reveal}>
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

