// The audit log: what was done and by whom.
import { Download, ScrollText } from 'lucide-react';
import { useState } from 'react';
import { t } from '../texts';
import { Button, Checkbox, Select, TextField } from '../ui/controls';
import { useSubmit } from '../ui/dialog';
import { Page, When } from '../ui/page';
import { Empty } from '../ui/state';
import { toast } from '../ui/toast';
import { admin, TenantPicker, useDelayed, type PageOf } from './common';
import { Rows, useFilter, usePaged } from './list';

interface Entry {
  id: string;
  at: string;
  kind: 'ADMINISTRATION' | 'DATA';
  subject: string;
  issuer: string;
  tenant: string | null;
  actedBy: string | null;
  reason: string | null;
  operation: string | null;
  datasets: string[];
  source: string | null;
  rows: number;
  durationMs: number;
  outcome: string;
  detail: string | null;
}

const listed = `query($filter: AuditFilter, $after: String, $limit: Int!) { admin { it: auditLog(filter: $filter, after: $after, limit: $limit) {
  items { id at kind subject issuer tenant actedBy reason operation datasets source rows durationMs outcome detail } next } } }`;

// mostExported is how many entries one file holds.
const mostExported = 10_000;

export function Audit() {
  const { tenant, set } = useFilter();
  const [kind, setKind] = useState('');
  const [subject, setSubject] = useState('');
  const [operation, setOperation] = useState('');
  const [outcome, setOutcome] = useState('');
  const [acted, setActed] = useState(false);
  const filter = useDelayed(
    JSON.stringify({
      tenant,
      kind: kind || undefined,
      subject: subject.trim() || undefined,
      operation: operation.trim() || undefined,
      outcome: outcome.trim() || undefined,
      acted,
    }),
  );
  const entries = usePaged<Entry>(['audit', filter], listed, { filter: JSON.parse(filter) as unknown, limit: 50 });
  const exporting = useSubmit();

  const exportAll = () =>
    void exporting.submit(async () => {
      const all: Entry[] = [];
      let after: string | undefined;
      do {
        const page: PageOf<Entry> = await admin<PageOf<Entry>>(listed, { filter: JSON.parse(filter) as unknown, after, limit: 500 });
        all.push(...page.items);
        after = page.next ?? undefined;
      } while (after !== undefined && all.length < mostExported);
      download(`audit-${new Date().toISOString().slice(0, 10)}.csv`, csv(all));
      toast(after === undefined ? t.audit.exported(all.length) : t.audit.exportedSome(all.length));
    });

  function reset() {
    setKind('');
    setSubject('');
    setOperation('');
    setOutcome('');
    setActed(false);
    set({ tenant: undefined });
  }

  return (
    <Page
      title={t.audit.title}
      lead={t.audit.lead}
      actions={
        <Button onPress={exportAll} isDisabled={exporting.pending}>
          <Download size={16} aria-hidden />
          {t.audit.export}
        </Button>
      }
    >
      {exporting.error && (
        <p className="note bad" role="alert">
          {exporting.error}
        </p>
      )}
      <div className="filters">
        <TenantPicker label={t.audit.tenant} value={tenant} others={[{ id: '', name: t.all }]} onChange={(next) => set({ tenant: next })} />
        <Select label={t.audit.kind} value={kind} onChange={setKind} choices={[{ id: '', name: t.all }, ...Object.entries(t.audit.kinds).map(([id, name]) => ({ id, name }))]} />
        <TextField label={t.audit.subject} placeholder={t.audit.subjectHint} value={subject} onChange={setSubject} />
        <TextField label={t.audit.operation} placeholder={t.audit.operationHint} value={operation} onChange={setOperation} />
        <TextField label={t.audit.outcome} placeholder={t.audit.outcomeHint} value={outcome} onChange={setOutcome} />
        <Checkbox isSelected={acted} onChange={setActed}>
          {t.audit.acted}
        </Checkbox>
      </div>
      <Rows
        of={entries}
        label={t.audit.title}
        id={({ id }) => id}
        columns={[
          { name: t.audit.at, cell: ({ at }) => <When at={at} exactly /> },
          {
            name: t.audit.did,
            text: true,
            cell: (entry) => (
              <>
                <span className="lead">{entry.operation ?? (entry.datasets.join(', ') || t.audit.kinds[entry.kind])}</span>
                <span className="under">
                  {[entry.detail, entry.kind === 'DATA' && entry.datasets.join(', '), entry.kind === 'DATA' && t.count(entry.rows, 'row', 'rows'), entry.source].filter(Boolean).join(' · ')}
                </span>
                <span className="under narrow">{[entry.subject, entry.tenant ?? t.allTenants, entry.actedBy && t.audit.actedBy(entry.actedBy, entry.reason ?? '')].filter(Boolean).join(' · ')}</span>
              </>
            ),
          },
          {
            name: t.audit.subject,
            lesser: true,
            text: true,
            cell: (entry) => (
              <>
                {entry.subject}
                {entry.actedBy && <span className="under">{t.audit.actedBy(entry.actedBy, entry.reason ?? '')}</span>}
              </>
            ),
          },
          { name: t.audit.tenant, lesser: true, cell: ({ tenant }) => tenant ?? <span className="muted">{t.allTenants}</span> },
          { name: t.audit.outcome, cell: ({ outcome }) => <span className={`badge ${outcome === 'done' ? 'good' : 'bad'}`}>{outcome}</span> },
        ]}
        empty={
          <Empty icon={ScrollText} title={t.audit.empty} action={<Button onPress={reset}>{t.audit.reset}</Button>}>
            {t.audit.emptyWords}
          </Empty>
        }
      />
    </Page>
  );
}

const columns = ['at', 'kind', 'subject', 'issuer', 'tenant', 'actedBy', 'reason', 'operation', 'datasets', 'source', 'rows', 'durationMs', 'outcome', 'detail'] as const;

// csv writes entries. A spreadsheet would take a cell that begins with one of these
// characters for a formula.
function csv(entries: Entry[]): string {
  const cell = (value: unknown) => {
    const text = Array.isArray(value) ? value.join(' ') : String(value ?? '');
    return `"${(typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  };
  return [columns.join(','), ...entries.map((entry) => columns.map((column) => cell(entry[column])).join(','))].join('\r\n');
}

function download(name: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
