// What the pages of administration share.
import { useQuery } from '@tanstack/react-query';
import { ChevronDown, Ellipsis, type LucideIcon } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { ask } from '../api';
import { useMe } from '../me';
import { t } from '../texts';
import { Button, classes, ComboBox, type Choice } from '../ui/controls';
import type { Scope } from '../scope';

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

export interface Action {
  name: string;
  icon: LucideIcon;
  bad?: boolean;
  act: () => void;
}

// Actions are what can be done with one row or, by a button with a name, on its page.
export function Actions({ of, items, page }: { of: string; items: (Action | false | undefined)[]; page?: boolean }) {
  const offered = items.filter((item) => item !== false && item !== undefined);
  if (offered.length === 0) return null;
  return (
    <MenuTrigger>
      {page ? (
        <Button aria-label={`${t.actions}: ${of}`}>
          {t.actions}
          <ChevronDown size={16} aria-hidden />
        </Button>
      ) : (
        <Button look="quiet" small icon aria-label={`${t.actions}: ${of}`}>
          <Ellipsis size={16} aria-hidden />
        </Button>
      )}
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

// TenantPicker chooses a tenant, for those who administer all; others have theirs. What
// else may be chosen has ids that are no tenant's; an empty one is undefined.
export function TenantPicker({ label, hint, placeholder = t.tenants.pick, value, onChange, others = [], autoFocus }: { label: string; hint?: string; placeholder?: string; autoFocus?: boolean; value: string | undefined; onChange: (tenant: string | undefined) => void; others?: Choice[] }) {
  const me = useMe();
  const shown = others.find(({ id }) => id === (value ?? ''))?.name ?? value ?? '';
  const [text, setText] = useState(shown);
  useEffect(() => setText(shown), [shown]);
  const search = useDelayed(text === shown ? '' : text.trim());
  const all = me.has('AdminQuery.tenants');
  const found = useQuery({
    queryKey: ['tenants', 'picker', search],
    enabled: all,
    queryFn: () => admin<PageOf<{ id: string; name: string }>>('query($search: String) { admin { it: tenants(search: $search, limit: 50) { items { id name } next } } }', { search: search || undefined }),
  });
  if (!all) return null;
  const choices: Choice[] = (found.data?.items ?? []).map(({ id, name }) => ({ id, name: id, under: name === id ? undefined : name }));
  choices.unshift(...others.filter(({ name }) => name.toLowerCase().includes(search.toLowerCase())));
  // Whoever empties the field means no longer all of them.
  function typed(next: string) {
    setText(next);
    if (next === '' && value === everyTenant) onChange(undefined);
  }
  // What is chosen is written at once: as long as the field says something else, its list opens again.
  function chosen(id: string | null) {
    setText(id === null ? '' : (choices.find((choice) => choice.id === id)?.name ?? id));
    onChange(id || undefined);
  }
  return <ComboBox label={label} hint={hint} choices={choices} value={value ?? (others.some(({ id }) => id === '') ? '' : null)} text={text} onText={typed} onChange={chosen} empty={t.tenants.nothing} placeholder={placeholder} autoFocus={autoFocus} />;
}

// everyTenant is chosen where something shall be for all tenants: no tenant's id, so
// that nobody gets there by leaving the field empty.
export const everyTenant = '*';
export const tenantOf = (chosen: string | undefined) => (chosen === everyTenant ? undefined : chosen);

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

// Lesser are fields that few need. What is opened because of a mistake stays open when it is mended.
export function Lesser({ open, children }: { open: boolean; children: ReactNode }) {
  const [opened, setOpened] = useState(false);
  return (
    <details className="lesser-fields" open={opened || open} onToggle={(event) => setOpened(event.currentTarget.open)}>
      {children}
    </details>
  );
}
