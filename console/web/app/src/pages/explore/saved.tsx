// What is kept: explorations, which open as they were, and queries for programs, which
// open as texts; the viewer's own, their tenant's, and those that all tenants share.
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Bookmark, Compass, CopyPlus, Link2, SearchX, Share2, SquareTerminal, Trash2, type LucideIcon } from 'lucide-react';
import { useState } from 'react';
import '../../styles/explore.css';
import { Actions, useDelayed } from '../../admin/common';
import { ask } from '../../api';
import { below } from '../../base';
import { useMe } from '../../me';
import { toOpen } from '../../query/store';
import { t } from '../../texts';
import { Button, Checkbox, SearchField, TextField } from '../../ui/controls';
import { Confirm, copy, FormDialog } from '../../ui/dialog';
import { Page, When } from '../../ui/page';
import { Empty, Failed, Loading } from '../../ui/state';
import { toast } from '../../ui/toast';
import type { Me } from '../../viewer';
import { elementsQuery, exactly } from './asked';
import { era } from './era';
import { administers, keeps, keptFields, type Kept } from './keep';

interface Doing {
  what: 'copy' | 'share' | 'remove';
  of: Kept;
}

const operation = `query($search: String, $after: String) { savedQueries(search: $search, after: $after) { items { ${keptFields} } next } }`;

export function Saved() {
  const me = useMe();
  const [search, setSearch] = useState('');
  const wanted = useDelayed(search.trim());
  const [doing, setDoing] = useState<Doing>();
  const saved = useInfiniteQuery({
    queryKey: ['saved', era(), 'list', wanted],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) => ask<{ savedQueries: { items: Kept[]; next: string | null } }>(operation, { search: wanted || undefined, after: pageParam ?? undefined }).then(({ savedQueries }) => savedQueries),
    getNextPageParam: (last) => last.next,
  });
  const items = saved.data?.pages.flatMap((page) => page.items);
  return (
    <Page
      title={t.saved.title}
      lead={t.saved.lead}
      actions={
        <Link to="/explore" className="button primary">
          <Compass size={16} aria-hidden />
          {t.nav.explore}
        </Link>
      }
    >
      <div className="filters">
        <SearchField label={t.saved.search} value={search} onChange={setSearch} />
      </div>
      {!items ? (
        <div className="card">{saved.error ? <Failed error={saved.error} retry={() => void saved.refetch()} /> : <Loading />}</div>
      ) : items.length === 0 ? (
        <div className="card">
          {wanted ? (
            <Empty icon={SearchX} title={t.saved.nothing} action={<Button onPress={() => setSearch('')}>{t.clear}</Button>}>
              {t.saved.nothingWords}
            </Empty>
          ) : (
            <Empty
              icon={Bookmark}
              title={t.saved.empty}
              action={
                <Link to="/explore" className="button">
                  {t.nav.explore}
                </Link>
              }
            >
              {t.saved.emptyWords}
            </Empty>
          )}
        </div>
      ) : (
        <ul className="kept">
          {items.map((one) => (
            <Row key={one.id} me={me} of={one} act={(what) => setDoing({ what, of: one })} />
          ))}
        </ul>
      )}
      {saved.hasNextPage && (
        <div className="more">
          <Button isDisabled={saved.isFetchingNextPage} onPress={() => void saved.fetchNextPage()}>
            {t.more}
          </Button>
        </div>
      )}
      {doing && <Change doing={doing} onClose={() => setDoing(undefined)} />}
    </Page>
  );
}

const mine = (me: Me, of: Kept) => of.own && (of.owner === me.subject || administers(me));

function whose(me: Me, of: Kept): string {
  if (!of.own || (me.allTenants && of.owner === null && of.shared)) return t.saved.shared;
  if (of.owner === null) return me.allTenants ? t.saved.ofOperators : t.saved.ofTenant;
  return of.owner === me.subject ? (of.shared ? t.saved.shown : t.saved.yours) : t.saved.by(of.owner);
}

function Row({ me, of, act }: { me: Me; of: Kept; act: (what: Doing['what']) => void }) {
  const navigate = useNavigate();
  const exploration = of.view !== null;
  const Icon: LucideIcon = exploration ? Compass : SquareTerminal;
  const text = of.document;
  const query = () => {
    toOpen.want(me, text!);
    void navigate({ to: '/query' });
  };
  const called = of.description || of.name;
  return (
    <li className="card board">
      <span className="mark">
        <Icon size={18} strokeWidth={1.75} aria-hidden />
      </span>
      <div className="about">
        <h2>
          {exploration ? (
            <Link to="/explore" search={{ saved: of.id }}>
              {called}
            </Link>
          ) : text !== null ? (
            <button type="button" className="link" onClick={query}>
              {called}
            </button>
          ) : (
            called
          )}
        </h2>
        <p className="muted small break">
          <code>{of.name}</code> · {exploration ? t.saved.exploration : t.saved.query}
        </p>
        <p className="row tiny muted">
          <span className="badge">{whose(me, of)}</span>
          {text === null && <span className="badge warn">{t.saved.hidden}</span>}
          <When at={of.changedAt} />
        </p>
      </div>
      <Actions
        of={called}
        items={[
          text !== null && { name: t.saved.openQuery, icon: SquareTerminal, act: query },
          exploration && { name: t.explore.copyLink, icon: Link2, act: () => void copy(below(`explore?saved=${encodeURIComponent(of.id)}`)) },
          keeps(me) && text !== null && { name: t.saved.copy, icon: CopyPlus, act: () => act('copy') },
          keeps(me) && mine(me, of) && text !== null && (of.owner !== null || me.allTenants) && { name: of.shared ? t.saved.unshare : t.saved.share, icon: Share2, act: () => act('share') },
          keeps(me) && mine(me, of) && { name: t.saved.remove, icon: Trash2, bad: true, act: () => act('remove') },
        ]}
      />
    </li>
  );
}

function Change({ doing: { what, of }, onClose }: { doing: Doing; onClose: () => void }) {
  const me = useMe();
  const client = useQueryClient();
  const elements = useQuery(elementsQuery);
  const [as, setAs] = useState(of.name);
  const [ofTenant, setOfTenant] = useState(false);
  const called = of.description || of.name;
  const done = async (said: string) => {
    await client.invalidateQueries({ queryKey: ['saved'] });
    toast(said);
    onClose();
  };
  if (what === 'copy') {
    const submit = () => ask('mutation($id: String!, $as: String, $ofTenant: Boolean!) { copySavedQuery(id: $id, as: $as, ofTenant: $ofTenant) { id } }', { id: of.id, as: as.trim(), ofTenant }).then(() => done(t.saved.copied(as)));
    return (
      <FormDialog title={`${t.saved.copy}: ${called}`} lead={t.saved.copyWords} action={t.saved.copy} submit={submit} onClose={onClose} disabled={!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(as.trim())}>
        <TextField label={t.explore.name} hint={t.explore.nameHint} value={as} onChange={setAs} autoFocus autoComplete="off" mono />
        {administers(me) && (
          <Checkbox isSelected={ofTenant} onChange={setOfTenant}>
            {me.allTenants ? t.saved.ofOperators : t.explore.whose.tenant}
          </Checkbox>
        )}
      </FormDialog>
    );
  }
  if (what === 'share') {
    // What it says stays, digit by digit: only who sees it changes.
    const submit = async () => {
      type Said = { name: string; description: string | null; document: string; variables: unknown; view: unknown };
      const { saved } = await exactly<{ saved: Said }>(elements.data!, 'query($id: String!) { saved: savedQuery(id: $id) { name description document variables view } }', { id: of.id });
      await ask('mutation($id: String!, $input: SavedQueryInput!, $version: Int) { updateSavedQuery(id: $id, input: $input, version: $version) { id } }', { id: of.id, version: of.version, input: { ...saved, shared: !of.shared } });
      await done(of.shared ? t.saved.unshared(called) : t.saved.nowShared(called));
    };
    return <FormDialog disabled={elements.data === undefined} title={`${of.shared ? t.saved.unshare : t.saved.share}: ${called}`} lead={me.allTenants && of.owner === null ? t.saved.shareAll : t.saved.shareTenant} action={of.shared ? t.saved.unshare : t.saved.share} submit={submit} onClose={onClose} />;
  }
  const submit = () => ask('mutation($id: String!, $version: Int) { deleteSavedQuery(id: $id, version: $version) }', { id: of.id, version: of.version }).then(() => done(t.saved.removed(called)));
  return <Confirm title={`${t.saved.remove}: ${called}`} lead={t.saved.removeWords} name={of.name} action={t.saved.remove} submit={submit} onClose={onClose} />;
}
