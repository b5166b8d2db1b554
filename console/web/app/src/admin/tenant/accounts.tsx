// What a tenant has of its own in the accounts of sources. What is kept is never told, so
// an account is written anew as a whole, source by source.
import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import { t } from '../../texts';
import { Button, TextField } from '../../ui/controls';
import { Confirm, FormDialog, Wrong } from '../../ui/dialog';
import { admin } from '../common';
import { useDone } from './actions';
import type { Configuration, Tenant } from './record';

type Source = Configuration['sources'][number];

interface Named {
  name: string;
  value: string;
}

const texts = ['host', 'port', 'database', 'schema', 'user', 'password', 'baseUrl'] as const;
type Member = (typeof texts)[number];

// offered are the members that an account of a kind of source has.
const offered: Record<string, Member[]> = {
  postgres: ['host', 'port', 'database', 'schema', 'user', 'password'],
  duckdb: ['schema'],
  api: ['baseUrl'],
};

// judge says what is wrong with a member, as far as can be told before it is tried.
function judge(member: Member, values: Partial<Record<Member, string>>): string | undefined {
  const text = values[member]?.trim() ?? '';
  switch (member) {
    case 'port':
      return text && !(/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65535) ? t.accounts.portWrong : undefined;
    case 'baseUrl':
      return text && !/^https?:\/\/[^\s/]+/.test(text) ? t.accounts.baseUrlWrong : undefined;
    case 'password':
      return !values.password && (['host', 'port', 'database', 'user'] as const).some((other) => values[other]?.trim()) ? t.accounts.passwordMissing : undefined;
  }
  return undefined;
}

// besideOf finds the member that an error is about, to show it there.
function besideOf(error: string | undefined, members: Member[]): Member | undefined {
  if (!error) return undefined;
  const words: Record<Member, RegExp> = { host: /\bhosts?\b|address/i, port: /\bport\b/i, database: /\bdatabase\b/i, schema: /\bschema\b/i, user: /\buser\b/i, password: /\bpassword\b/i, baseUrl: /base_?url/i };
  return members.find((member) => words[member].test(error));
}

export function AccountForm({ tenant, source, onClose }: { tenant: Tenant; source: Source; onClose: () => void }) {
  const done = useDone(onClose);
  const set = tenant.accounts.find((account) => account.source === source.name)?.set ?? [];
  const [values, setValues] = useState<Partial<Record<Member, string>>>({});
  const [headers, setHeaders] = useState<Named[]>(named(set, 'headers.'));
  const [properties, setProperties] = useState<Named[]>(named(set, 'properties.'));
  const members = offered[source.kind] ?? [...texts];
  const api = source.kind !== 'postgres' && source.kind !== 'duckdb';
  const given = (list: Named[]) => list.filter(({ name }) => name.trim()).map(({ name, value }) => ({ name: name.trim(), value }));
  const input: Record<string, unknown> = { source: source.name };
  for (const member of members) {
    const text = member === 'password' ? values.password : values[member]?.trim();
    if (text) input[member] = member === 'port' ? Number(text) : text;
  }
  if (api && given(headers).length > 0) input.headers = given(headers);
  if (api && given(properties).length > 0) input.properties = given(properties);
  const empty = Object.keys(input).length === 1;
  const bad = members.some((member) => judge(member, values) !== undefined) || [...headers, ...properties].some(({ name, value }) => name.trim() && !value);
  const lost = set.filter((name) => !(name in input) && ![...given(headers).map((one) => `headers.${one.name}`), ...given(properties).map((one) => `properties.${one.name}`)].includes(name));
  async function submit() {
    await admin('mutation($id: String!, $account: AccountInput!) { admin { it: setTenantAccount(id: $id, account: $account) { id } } }', { id: tenant.id, account: input });
    await done(t.accounts.saved(source.name));
  }
  return (
    <FormDialog title={t.accounts.title(source.name, tenant.name)} lead={t.accounts.words} wide action={t.save} submit={submit} onClose={onClose} disabled={empty || bad} takes={lost.length > 0 && t.accounts.takes(lost.join(', '))}>
      {(error) => {
        const beside = besideOf(error, members);
        return (
          <>
            {set.length > 0 && <p className="note">{t.accounts.kept(set.join(', '))}</p>}
            <div className="columns">
              {members.map((member) => (
                <TextField
                  key={member}
                  label={t.accounts.members[member] ?? member}
                  hint={t.accounts.hints[member]}
                  wrong={judge(member, values) ?? (beside === member ? error : undefined)}
                  value={values[member] ?? ''}
                  onChange={(text) => setValues({ ...values, [member]: text })}
                  type={member === 'password' ? 'password' : 'text'}
                  inputMode={member === 'port' ? 'numeric' : undefined}
                  autoComplete={member === 'password' ? 'new-password' : 'off'}
                  autoFocus={member === members[0]}
                />
              ))}
            </div>
            {api && <List label={t.accounts.headers} add={t.accounts.addHeader} list={headers} onChange={setHeaders} />}
            {api && <List label={t.accounts.properties} add={t.accounts.addProperty} list={properties} onChange={setProperties} />}
            {error && !beside && <Wrong>{error}</Wrong>}
          </>
        );
      }}
    </FormDialog>
  );
}

const named = (set: string[], prefix: string): Named[] => set.filter((name) => name.startsWith(prefix)).map((name) => ({ name: name.slice(prefix.length), value: '' }));

function List({ label, add, list, onChange }: { label: string; add: string; list: Named[]; onChange: (list: Named[]) => void }) {
  const change = (at: number, next: Partial<Named>) => onChange(list.map((one, index) => (index === at ? { ...one, ...next } : one)));
  return (
    <div className="field" role="group" aria-label={label}>
      <span className="label">{label}</span>
      {list.map((one, index) => (
        <div key={index} className="pair">
          <TextField hidden label={`${t.accounts.nameOf} ${index + 1}`} placeholder={t.accounts.nameOf} value={one.name} onChange={(name) => change(index, { name })} autoComplete="off" />
          <TextField hidden label={`${t.accounts.valueOf} ${index + 1}`} placeholder={t.accounts.valueOf} wrong={one.name.trim() && !one.value ? t.accounts.valueMissing : undefined} value={one.value} onChange={(value) => change(index, { value })} type="password" autoComplete="new-password" />
          <Button look="quiet" icon aria-label={`${t.remove}: ${one.name || index + 1}`} onPress={() => onChange(list.filter((_, other) => other !== index))}>
            <X size={16} aria-hidden />
          </Button>
        </div>
      ))}
      <div>
        <Button small onPress={() => onChange([...list, { name: '', value: '' }])}>
          <Plus size={14} aria-hidden />
          {add}
        </Button>
      </div>
    </div>
  );
}

export function RemoveAccount({ tenant, source, onClose }: { tenant: Tenant; source: string; onClose: () => void }) {
  const done = useDone(onClose);
  async function submit() {
    await admin('mutation($id: String!, $source: String!) { admin { it: removeTenantAccount(id: $id, source: $source) { id } } }', { id: tenant.id, source });
    await done(t.accounts.removed(source));
  }
  return <Confirm title={t.accounts.remove(source, tenant.name)} lead={t.accounts.removeWords} name={source} action={t.remove} submit={submit} onClose={onClose} />;
}
