// What the pages of administration share.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Ellipsis, type LucideIcon } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { ask } from '../api';
import { useMe } from '../me';
import { t } from '../texts';
import { Button, classes, ComboBox } from '../ui/controls';
import { Failed, Loading } from '../ui/state';
import type { Scope } from '../viewer';

export interface PageOf<T> {
  items: T[];
  next: string | null;
}

// admin asks for one field below admin, in a query or a mutation.
export async function admin<T>(operation: string, variables?: Record<string, unknown>): Promise<T> {
  const { admin: answer } = await ask<{ admin: { it: T } }>(operation, variables);
  return answer.it;
}

export const scopes: { id: Scope; name: string; under: string }[] = [
  { id: 'READ_DATA', name: t.scopes.READ_DATA[0], under: t.scopes.READ_DATA[1] },
  { id: 'WRITE_DATA', name: t.scopes.WRITE_DATA[0], under: t.scopes.WRITE_DATA[1] },
  { id: 'EXPORT_DATA', name: t.scopes.EXPORT_DATA[0], under: t.scopes.EXPORT_DATA[1] },
  { id: 'CREATE_TOKENS', name: t.scopes.CREATE_TOKENS[0], under: t.scopes.CREATE_TOKENS[1] },
  { id: 'EXPLAIN', name: t.scopes.EXPLAIN[0], under: t.scopes.EXPLAIN[1] },
  { id: 'ADMINISTER', name: t.scopes.ADMINISTER[0], under: t.scopes.ADMINISTER[1] },
];

// useScopes are those that the viewer holds: nobody gives what they have not.
export function useScopes() {
  const me = useMe();
  return scopes.filter(({ id }) => me.can(id));
}

export const scopeName = (scope: Scope) => t.scopes[scope]?.[0] ?? scope;

// usePaged reads a list page by page.
export function usePaged<T>(key: unknown[], operation: string, variables: Record<string, unknown>) {
  const asked = useInfiniteQuery({
    queryKey: key,
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) => admin<PageOf<T>>(operation, { ...variables, after: pageParam ?? undefined }),
    getNextPageParam: (last) => last.next,
  });
  return { ...asked, items: asked.data?.pages.flatMap(({ items }) => items) };
}

// Listed shows a list that is read page by page, or the state it is in.
export function Listed<T>({ of, empty, head, children, label }: { of: ReturnType<typeof usePaged<T>>; empty: ReactNode; head: ReactNode; label: string; children: (item: T) => ReactNode }) {
  if (!of.items) return <div className="card">{of.error ? <Failed error={of.error} retry={() => void of.refetch()} /> : <Loading />}</div>;
  if (of.items.length === 0) return <div className="card">{empty}</div>;
  return (
    <div className="card">
      <div className="table-scroll" tabIndex={0} role="group" aria-label={label}>
        <table className="table">
          <thead>
            <tr>{head}</tr>
          </thead>
          <tbody>{of.items.map(children)}</tbody>
        </table>
      </div>
      {of.hasNextPage && (
        <div className="more">
          <Button isDisabled={of.isFetchingNextPage} onPress={() => void of.fetchNextPage()}>
            {t.more}
          </Button>
        </div>
      )}
      {of.error && of.items.length > 0 ? <Failed error={of.error} retry={() => void of.fetchNextPage()} /> : null}
    </div>
  );
}

export interface Action {
  name: string;
  icon: LucideIcon;
  bad?: boolean;
  act: () => void;
}

// Actions are what can be done with one row.
export function Actions({ of, items }: { of: string; items: (Action | false | undefined)[] }) {
  const offered = items.filter((item) => item !== false && item !== undefined);
  if (offered.length === 0) return null;
  return (
    <MenuTrigger>
      <Button look="quiet" small icon aria-label={`${t.actions}: ${of}`}>
        <Ellipsis size={16} aria-hidden />
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label={t.actions}>
          {offered.map(({ name, icon: Icon, bad, act }) => (
            <MenuItem key={name} className={classes('item', bad && 'bad')} onAction={act}>
              <Icon size={16} aria-hidden />
              {name}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

export function useDelayed<T>(value: T, ms = 250): T {
  const [delayed, setDelayed] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setDelayed(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return delayed;
}

const nobody = '\u0000';

// TenantPicker chooses a tenant, for those who administer all; others have theirs.
export function TenantPicker({ label, value, onChange, none }: { label: string; value: string | undefined; onChange: (tenant: string | undefined) => void; none?: string }) {
  const me = useMe();
  const [text, setText] = useState(value ?? none ?? '');
  const shown = value ?? none ?? '';
  useEffect(() => setText(shown), [shown]);
  const search = useDelayed(text === shown ? '' : text.trim());
  const all = me.has('AdminQuery.tenants');
  const found = useQuery({
    queryKey: ['tenants', 'picker', search],
    enabled: all,
    queryFn: () => admin<PageOf<{ id: string; name: string }>>('query($search: String) { admin { it: tenants(search: $search, limit: 50) { items { id name } next } } }', { search: search || undefined }),
  });
  if (!all) return null;
  const choices = (found.data?.items ?? []).map(({ id, name }) => ({ id, name: id, under: name === id ? undefined : name }));
  if (none !== undefined && search === '') choices.unshift({ id: nobody, name: none, under: undefined });
  return (
    <ComboBox
      label={label}
      choices={choices}
      value={value ?? (none === undefined ? null : nobody)}
      text={text}
      onText={setText}
      onChange={(id) => onChange(id === null || id === nobody ? undefined : id)}
      empty={t.tenants.nothing}
    />
  );
}

// names splits a list of names as people write it.
export const names = (text: string) => text.split(/[\s,]+/).filter(Boolean);

export function State({ revokedAt, expiresAt }: { revokedAt: string | null; expiresAt: string | null }) {
  if (revokedAt) return <span className="badge bad">{t.tokens.states.revoked}</span>;
  if (expiresAt && new Date(expiresAt).getTime() <= Date.now()) return <span className="badge">{t.tokens.states.expired}</span>;
  return <span className="badge good">{t.tokens.states.living}</span>;
}

// parseObject reads a JSON object that people wrote; undefined where it is none.
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = text.trim() ? JSON.parse(text) : {};
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
