// What a role gives, dataset by dataset, as far as its text can be read.
import type { ReactNode } from 'react';
import '../../styles/role.css';
import { classes } from '../../ui/controls';
import { Badges } from '../../pages/home';
import { t } from '../../texts';
import { fields, inWords, list } from './words';

interface Named {
  name: string;
  label: string | null;
  columns: { name: string }[];
}

const few = 6;

export function Overview({ spec, known }: { spec: unknown; known: Named[] | undefined }) {
  const rights = Object.entries(fields(fields(spec).datasets));
  const left = known?.filter(({ name }) => !rights.some(([other]) => other === name)) ?? [];
  return (
    <div className="role-gives">
      {rights.length === 0 ? (
        <p className="note warn">{t.roles.grantsNothingYet}</p>
      ) : (
        <div className="table-scroll" tabIndex={0} role="group" aria-label={t.roles.overview}>
          <table className="table role-overview">
            <thead>
              <tr>
                {[t.roles.dataset, t.roles.reads, t.roles.hides, t.roles.rows, ...t.roles.ways].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rights.map(([name, right]) => (
                <Right key={name} name={name} of={known?.find((one) => one.name === name)} unknown={known !== undefined} right={fields(right)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {left.length > 0 && (
        <p className="muted small break">
          {t.roles.shownNot} {left.slice(0, 12).map(({ name }) => name).join(', ')}
          {left.length > 12 && ` ${t.tenants.andMore(left.length - 12)}`}
        </p>
      )}
    </div>
  );
}

function Right({ name, of, unknown, right }: { name: string; of: Named | undefined; unknown: boolean; right: Record<string, unknown> }) {
  const named = Array.isArray(right.columns) ? list(right.columns).map(String) : undefined;
  const all = of?.columns.map((column) => column.name);
  const hidden = named && all?.filter((column) => !named.includes(column));
  const seen = named && (all ? named.filter((column) => all.includes(column)) : named);
  const filter = inWords(right.filter);
  const extras = [right.aggregate === true && t.roles.mayGroup, right.limit !== undefined && t.roles.upTo(String(right.limit)), right.include_deleted === true && t.roles.withDeleted].filter((extra) => typeof extra === 'string');
  return (
    <tr>
      <th scope="row">
        <span className="break">{name}</span>
        {of?.label && of.label !== name && <span className="under">{of.label}</span>}
        {unknown && !of && <span className="badge bad">{t.roles.unknown}</span>}
      </th>
      <Cell name={t.roles.reads}>
        {seen === undefined ? t.roles.allColumns : all ? t.roles.someColumns(seen.length, all.length) : t.count(seen.length, 'column', 'columns')}
        {extras.length > 0 && <Badges of={extras} />}
      </Cell>
      <Cell name={t.roles.hides}>
        {hidden === undefined && named ? <span className="muted">{t.roles.allOthers}</span> : hidden && hidden.length > 0 ? <span className="break">{hidden.slice(0, few).join(', ')}{hidden.length > few && ` ${t.tenants.andMore(hidden.length - few)}`}</span> : <span className="muted">{t.none}</span>}
      </Cell>
      <Cell name={t.roles.rows}>{filter ? <code className="condition">{filter}</code> : <span className="muted">{t.roles.allRows}</span>}</Cell>
      {['insert', 'update', 'delete'].map((way, at) => (
        <Cell key={way} name={t.roles.ways[at]!}>
          <Way of={right[way]} kind={way} />
        </Cell>
      ))}
    </tr>
  );
}

function Cell({ name, children }: { name: string; children: ReactNode }) {
  return (
    <td className="break" data-label={name}>
      <div>{children}</div>
    </td>
  );
}

// Way is what may be done with rows; left out, or null: nothing.
function Way({ of, kind }: { of: unknown; kind: string }) {
  if (of === undefined || of === null) return <span className="muted">{t.roles.mayNot}</span>;
  const { columns, filter, check } = fields(of);
  const words = [
    kind !== 'delete' && Array.isArray(columns) && columns.map(String).join(', '),
    inWords(filter) && t.roles.onlyWhere(inWords(filter)),
    inWords(check) && t.roles.mustHold(inWords(check)),
  ].filter(Boolean);
  return (
    <>
      <span className={classes('badge', 'good')}>{t.yes}</span>
      {words.map((text, at) => (
        <span key={at} className="under">
          {text}
        </span>
      ))}
    </>
  );
}
