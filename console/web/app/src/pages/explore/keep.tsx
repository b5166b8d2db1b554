// Keeping what was explored: as an exploration that opens here again, as a query for
// programs, or as a tile of a dashboard.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ask, Failure } from '../../api';
import { isName, nameOf, tooLong } from '../../board/name';
import { useDraft } from '../../drafts';
import { useMe } from '../../me';
import { t } from '../../texts';
import { Checkbox, Select, TextField } from '../../ui/controls';
import { FormDialog, Wrong } from '../../ui/dialog';
import { toast } from '../../ui/toast';
import type { Me } from '../../viewer';
import { elementsQuery, exactly, type Elements } from './asked';
import { era } from './era';
import { finished, type Chart, type Compiled } from './compile';
import type { Models } from './model';
import { written, type State } from './state';

export const keeps = (me: Me) => me.has('Mutation.createSavedQuery');
export const tiles = (me: Me) => me.has('Mutation.saveDashboard');

// administers tells whether somebody keeps queries of their tenant, or of all.
export const administers = (me: Me) => me.can('ADMINISTER') && !me.acting;

// nameFrom makes a name for programs of what people typed.
export function nameFrom(title: string): string {
  const text = title.normalize('NFKD').replace(/[^A-Za-z0-9]+/g, ' ').trim().split(' ').map((word, at) => (at === 0 ? word.charAt(0).toLowerCase() : word.charAt(0).toUpperCase()) + word.slice(1)).join('').slice(0, 60);
  return /^[A-Za-z_]/.test(text) ? text : text && `_${text}`;
}

export interface Kept {
  id: string;
  name: string;
  owner: string | null;
  description: string | null;
  document: string | null;
  view: unknown;
  shared: boolean;
  own: boolean;
  version: number;
  changedAt: string;
}

export const keptFields = 'id name owner description document view shared own version changedAt';

// Whose a kept query is: one's own, one's own and shown to all of the tenant, the tenant's, or a template for all tenants.
function whoseChoices(me: Me) {
  return [
    { id: 'mine', name: t.explore.whose.mine! },
    { id: 'shown', name: me.allTenants ? t.explore.whose.operators! : t.explore.whose.shown! },
    ...(administers(me) && !me.allTenants ? [{ id: 'tenant', name: t.explore.whose.tenant! }] : []),
    ...(administers(me) && me.allTenants ? [{ id: 'all', name: t.explore.whose.all! }] : []),
  ];
}

export function Keep({ state, models, compiled, onKept, onClose }: { state: State; models: Models; compiled: Compiled; onKept: (kept: Kept) => void; onClose: () => void }) {
  const me = useMe();
  const client = useQueryClient();
  const draft = useDraft<{ title: string; name?: string; whose: string; plain: boolean }>('explore keep', { title: '', whose: 'mine', plain: false });
  const { title, name, whose, plain } = draft.value;
  const called = name ?? nameFrom(title);
  const wrong = called !== '' && !/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(called) ? t.explore.nameHint : undefined;
  async function submit() {
    const { kept } = await ask<{ kept: Kept }>(`mutation($input: SavedQueryInput!) { kept: createSavedQuery(input: $input) { ${keptFields} } }`, {
      input: { name: called, description: title.trim(), document: compiled.query, view: plain ? undefined : written(finished(state, models)), ofTenant: whose === 'tenant' || whose === 'all', shared: whose === 'shown' || whose === 'all' },
    });
    await client.invalidateQueries({ queryKey: ['saved'] });
    toast(t.explore.kept(kept.name));
    onKept(kept);
    onClose();
  }
  return (
    <FormDialog title={t.explore.keep} lead={t.explore.keepWords} action={t.save} draft={draft} submit={submit} onClose={onClose} disabled={called === '' || wrong !== undefined}>
      <TextField label={t.explore.title} value={title} onChange={(title) => draft.set({ title })} autoFocus autoComplete="off" />
      <TextField label={t.explore.name} hint={t.explore.nameHint} wrong={wrong} value={called} onChange={(name) => draft.set({ name })} autoComplete="off" mono />
      <Select label={t.explore.whoseIs} value={whose} onChange={(whose) => draft.set({ whose })} choices={whoseChoices(me)} />
      <Checkbox isSelected={plain} onChange={(plain) => draft.set({ plain })} hint={t.explore.plainHint}>
        {t.explore.plain}
      </Checkbox>
    </FormDialog>
  );
}

interface Entry {
  name: string;
  title: string;
  own: boolean;
  version: number;
}

const fresh = '';

export function AsTile({ compiled, chart, onClose }: { compiled: Compiled; chart: Chart; onClose: () => void }) {
  const client = useQueryClient();
  const elements = useQuery(elementsQuery);
  const list = useQuery({ queryKey: ['dashboards', 'own', era()], queryFn: () => ask<{ dashboards: Entry[] }>('{ dashboards { name title own version } }').then(({ dashboards }) => dashboards.filter(({ own, version }) => own && version > 0)) });
  const draft = useDraft('explore tile', { into: fresh, title: '', board: '', named: '' }); // named: not as the title is
  const { title, board, named } = draft.value;
  // What was chosen before may be there no more.
  const into = list.data?.some(({ name }) => name === draft.value.into) ? draft.value.into : fresh;
  const name = into === fresh ? named || nameOf(board) : into;
  const taken = into === fresh && list.data?.some((one) => one.name === name);
  const lacks =
    title.trim() === '' ? t.explore.tileMissing
    : into === fresh && board.trim() === '' ? t.explore.boardMissing
    : name === '' ? t.dashboards.nameMissing
    : taken || !isName(name) || tooLong(title) || tooLong(board);
  async function submit() {
    const old = into === fresh ? undefined : await document_(elements.data, into);
    const document = old?.document ?? { title: board.trim(), tiles: [] };
    const all = (document.tiles ?? []) as { id?: string; at?: { y?: number; h?: number } }[];
    const below = Math.max(0, ...all.map(({ at }) => Number(at?.y ?? 0) + Number(at?.h ?? 0)));
    const ids = new Set(all.map(({ id }) => id));
    const like = nameOf(title) || 'tile';
    let id = like;
    for (let n = 2; ids.has(id); n++) id = `${like.slice(0, 58)}-${n}`;
    const size = chart.kind === 'number' ? { w: 3, h: 2 } : { w: 6, h: 4 };
    document.tiles = [...all, { id, title: title.trim(), at: { x: 0, y: below, ...size }, query: compiled.query, chart }];
    await ask('mutation($name: String!, $document: JSON!, $version: Int) { saveDashboard(name: $name, document: $document, version: $version) { name } }', { name, document, version: old?.version });
    await client.invalidateQueries({ queryKey: ['dashboards'] });
    toast(t.explore.tiled(title.trim()));
    onClose();
  }
  const long = (text: string) => (tooLong(text) ? t.explore.titleLong : undefined);
  return (
    <FormDialog title={t.explore.asTile} lead={t.explore.asTileWords} action={t.explore.asTile} draft={draft} form={JSON.stringify(draft.value)} submit={submit} onClose={onClose} disabled={lacks || elements.data === undefined || list.isPending}>
      <TextField label={t.explore.tileTitle} wrong={long(title)} value={title} onChange={(title) => draft.set({ title })} autoFocus autoComplete="off" />
      <Select label={t.explore.dashboard} value={into} onChange={(into) => draft.set({ into })} choices={[{ id: fresh, name: t.explore.newDashboard }, ...(list.data ?? []).map(({ name, title: called }) => ({ id: name, name: called }))]} />
      {list.error && <Wrong>{t.explore.noBoards}</Wrong>}
      {into === fresh && (
        <>
          <TextField label={t.explore.dashboardTitle} wrong={long(board)} value={board} onChange={(board) => draft.set({ board })} autoComplete="off" />
          <TextField label={t.dashboards.name} hint={t.dashboards.nameHint} wrong={taken ? t.explore.boardTaken : name === '' || isName(name) ? undefined : t.dashboards.nameForm} value={name} onChange={(named) => draft.set({ named })} autoComplete="off" mono />
        </>
      )}
    </FormDialog>
  );
}

// document_ reads a dashboard with the digits its numbers have.
async function document_(elements: Elements | undefined, name: string): Promise<{ document: { tiles?: unknown[] } & Record<string, unknown>; version: number }> {
  const { dashboard: found } = await exactly<{ dashboard: { version: number; document: Record<string, unknown> | null } | null }>(elements!, 'query($name: String!) { dashboard(name: $name) { version document } }', { name });
  if (!found?.document) throw new Failure(t.explore.hiddenBoard, 'FORBIDDEN', undefined, false);
  return { document: found.document, version: found.version };
}
