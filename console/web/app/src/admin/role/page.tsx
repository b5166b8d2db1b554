// The editor of a tenant's own role: its text, what is to be said of it, what it gives, and how it is written.
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { ArrowLeft, CircleAlert, Save } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import '../../styles/role.css';
import { Failure, Written } from '../../api';
import { useDraft } from '../../drafts';
import { useMe } from '../../me';
import { Editor } from '../../query/editor';
import { t } from '../../texts';
import { Button, TextField } from '../../ui/controls';
import { Wrong } from '../../ui/dialog';
import { Page } from '../../ui/page';
import { Restored } from '../../ui/restored';
import { toast } from '../../ui/toast';
import { admin, useDelayed } from '../common';
import { Card, Detail } from '../detail';
import { complete } from './complete';
import { Findings } from './findings';
import { Help } from './help';
import { judge, told } from './judge';
import { useRole, type Role } from './kept';
import { useKnown } from './known';
import { Overview } from './overview';
import { read, type Finding } from './read';

const template = '{\n  "datasets": {}\n}';
const nameForm = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

export const draftOf = (tenant: string | null | undefined, name: string) => `role ${tenant ?? ''}/${name}`;

export function RoleEditor() {
  const { role: name } = useParams({ strict: false }) as { role?: string };
  return name === undefined ? <Editing /> : <Kept name={name} />;
}

function Kept({ name }: { name: string }) {
  const { tenant } = useSearch({ strict: false }) as { tenant?: string };
  // What is being edited does not change because something was loaded again.
  const asked = useRole(tenant, name, true);
  if (asked.data && asked.data.spec !== null) return <Editing key={name} role={asked.data} />;
  return (
    <Detail title={name} back={{ to: { to: '/roles', search: { tenant } }, name: t.roles.title }} of={{ ...asked, data: asked.data && null }} gone={asked.data ? t.roles.specHiddenWords : t.roles.gone}>
      {() => null}
    </Detail>
  );
}

function Editing({ role }: { role?: Role & { text: string } }) {
  const me = useMe();
  const { tenant } = useSearch({ strict: false }) as { tenant?: string };
  const navigate = useNavigate();
  const client = useQueryClient();
  const known = useKnown();
  const whose = tenant ?? me.tenant;
  const first = { name: role?.name ?? '', text: role?.text ?? template, since: role?.changedAt ?? '' };
  const draft = useDraft(draftOf(whose, first.name), first, [first.name || t.roles.create, me.allTenants && whose].filter(Boolean).join(', '));
  const { name, text, since } = draft.value;
  const [saving, setSaving] = useState(false);
  const [refused, setRefused] = useState<{ text: string; message: string }>();
  const [goTo, setGoTo] = useState<Finding>();
  const shown = useDelayed(text, 200);
  const { root, wrong } = useMemo(() => read(shown), [shown]);
  const answer = useMemo(() => (refused?.text === shown ? told(refused.message, name.trim(), root) : undefined), [refused, shown, name, root]);
  const findings = useMemo(() => [...(answer?.placed ?? []), ...(wrong ? [wrong] : []), ...judge(root, known, !me.allTenants)].filter(({ from, message }, at, all) => all.findIndex((other) => other.from === from && (other.message === message || at > 0)) === at), [answer, wrong, root, known, me]);
  const lacks = !name.trim() ? t.roles.nameMissing : !nameForm.test(name.trim()) ? t.roles.nameWrong : read(text).wrong ? t.roles.unread : undefined;

  // A tab that is closed takes its drafts along.
  useEffect(() => {
    if (!draft.changed) return;
    const asks = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', asks);
    return () => removeEventListener('beforeunload', asks);
  }, [draft.changed]);

  async function save() {
    if (lacks || saving) return;
    setSaving(true);
    setRefused(undefined);
    try {
      await admin('mutation($tenant: String, $name: String!, $spec: JSON!) { admin { it: putRole(tenant: $tenant, name: $name, spec: $spec) { name } } }', { tenant, name: name.trim(), spec: new Written(text) });
      draft.done();
      await client.invalidateQueries({ queryKey: ['roles'] });
      toast(t.roles.saved(name.trim()));
      void navigate({ to: '/roles/$role', params: { role: name.trim() }, search: { tenant } });
    } catch (failure) {
      setRefused({ text, message: failure instanceof Failure ? failure.message : t.errors.pageWords });
    } finally {
      setSaving(false);
    }
  }
  function leave() {
    draft.done();
    void navigate(role ? { to: '/roles/$role', params: { role: role.name }, search: { tenant } } : { to: '/roles', search: { tenant } });
  }

  return (
    <Page
      full
      title={role ? `${t.roles.edit}: ${role.name}` : t.roles.create}
      lead={
        <>
          <Link to="/roles" search={{ tenant }} className="link back-link">
            <ArrowLeft size={14} aria-hidden />
            {t.roles.title}
          </Link>
          {whose && <span className="break"> {whose}</span>}
        </>
      }
      actions={
        <>
          {lacks && draft.changed && (
            <span className="lacks" id="role-lacks">
              {lacks}
            </span>
          )}
          <Button onPress={leave}>{t.cancel}</Button>
          <Button look="primary" isDisabled={lacks !== undefined || saving || (role !== undefined && !draft.changed)} aria-describedby={lacks && draft.changed ? 'role-lacks' : undefined} onPress={() => void save()}>
            <Save size={16} aria-hidden />
            {saving ? t.roles.saving : t.save}
          </Button>
        </>
      }
    >
      {draft.found && <Restored onDrop={draft.drop} />}
      {role && since !== role.changedAt && (
        <p className="note warn" role="alert">
          <CircleAlert size={16} aria-hidden />
          <span>{t.roles.meanwhile}</span>
        </p>
      )}
      {answer && answer.rest.length > 0 && <Wrong>{answer.rest.join(' ')}</Wrong>}
      <div className="role-editor">
        <div className="stack">
          {!role && <TextField label={t.roles.name} hint={t.roles.nameHint} wrong={name.trim() && !nameForm.test(name.trim()) ? t.roles.nameWrong : undefined} value={name} onChange={(name) => draft.set({ name })} autoFocus autoComplete="off" mono />}
          <section className="card role-text" aria-label={t.roles.spec}>
            <div className="role-code">
              <Editor label={t.roles.spec} language="json" value={text} onChange={(text) => draft.set({ text })} onRun={() => void save()} complete={(context) => complete(context, known)} findings={findings} goTo={goTo} />
            </div>
            <Findings of={findings} text={shown} onGo={(finding) => setGoTo({ ...finding })} />
            <p className="hint">{t.roles.editorHint}</p>
          </section>
        </div>
        <div className="wide">
          <Card title={t.roles.overview} lead={t.roles.overviewWords}>
            <Overview root={root} findings={findings} known={known} />
          </Card>
        </div>
        <Card title={t.roles.help}>
          <Help text={text} known={known} onUse={(text) => draft.set({ text })} />
        </Card>
      </div>
    </Page>
  );
}
