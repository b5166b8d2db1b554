// What a role gives, dataset by dataset, as far as its text can be read and is right.
import type { ReactNode } from 'react';
import '../../styles/role.css';
import { classes } from '../../ui/controls';
import { Badges } from '../../pages/home';
import { t } from '../../texts';
import { member, plain, type Finding, type Member, type Node } from './read';
import { inWords } from './words';

interface Named {
  name: string;
  label: string | null;
  columns: { name: string }[];
}

const few = 6;

// Overview is of the text that root was read of; findings are what is wrong with it.
export function Overview({ root, findings, known }: { root: Node | undefined; findings: Finding[]; known: Named[] | undefined }) {
  const rights = member(root, 'datasets')?.members ?? [];
  const left = known?.filter(({ name }) => !rights.some((other) => other.name === name)) ?? [];
  const wrong = findings.filter(({ fails }) => fails);
  return (
    <div className="role-gives">
      {wrong.length > 0 && rights.length > 0 && <p className="note warn">{t.roles.leftOut}</p>}
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
              {rights.map((right) => (
                <Right key={right.at.from} right={right} of={known?.find((one) => one.name === right.name)} unknown={known !== undefined} wrong={wrong} />
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

function Right({ right, of, unknown, wrong }: { right: Member; of: Named | undefined; unknown: boolean; wrong: Finding[] }) {
  const lies = (from: number, to: number) => wrong.some((finding) => finding.from < to && finding.to > from);
  // A right that is none, or on what is not there, says nothing.
  const none = right.value?.kind !== 'object' || lies(right.at.from, right.at.to);
  const said = (word: string) => (none ? undefined : right.value?.members.findLast(({ name }) => name === word));
  const isWrong = (word: string) => !none && right.value!.members.some(({ name, at, value }) => name === word && lies(at.from, value?.to ?? at.to));
  const sound = (word: string) => (isWrong(word) ? undefined : said(word)?.value);
  const bad = (word: string) => isWrong(word) && <Wrong key={word} words={t.roles.wrong(word)} />;

  const named = sound('columns')?.items.map(({ value }) => String(value));
  const all = of?.columns.map((column) => column.name);
  const hidden = named && all?.filter((column) => !named.includes(column));
  const seen = named && (all ? named.filter((column) => all.includes(column)) : named);
  const filter = inWords(plain(sound('filter')));
  const limit = sound('limit')?.value;
  const extras = [sound('aggregate')?.value === true && t.roles.mayGroup, limit !== undefined && t.roles.upTo(String(limit)), sound('include_deleted')?.value === true && t.roles.withDeleted].filter((extra) => typeof extra === 'string');
  return (
    <tr>
      <th scope="row">
        <span className="break">{right.name}</span>
        {of?.label && of.label !== right.name && <span className="under">{of.label}</span>}
        {unknown && !of ? <Wrong words={t.roles.unknown} /> : none && <Wrong words={t.roles.wrongHere} />}
      </th>
      <Cell name={t.roles.reads} none={none}>
        {bad('columns') || (seen === undefined ? t.roles.allColumns : all ? t.roles.someColumns(seen.length, all.length) : t.count(seen.length, 'column', 'columns'))}
        {extras.length > 0 && <Badges of={extras} />}
        {['aggregate', 'limit', 'include_deleted'].map(bad)}
      </Cell>
      <Cell name={t.roles.hides} none={none || isWrong('columns')}>
        {hidden === undefined && named ? <span className="muted">{t.roles.allOthers}</span> : hidden && hidden.length > 0 ? <span className="break">{hidden.slice(0, few).join(', ')}{hidden.length > few && ` ${t.tenants.andMore(hidden.length - few)}`}</span> : <span className="muted">{t.none}</span>}
      </Cell>
      <Cell name={t.roles.rows} none={none}>
        {bad('filter') || (filter ? <code className="condition">{filter}</code> : <span className="muted">{t.roles.allRows}</span>)}
      </Cell>
      {['insert', 'update', 'delete'].map((way, at) => (
        <Cell key={way} name={t.roles.ways[at]!} none={none}>
          {bad(way) || <Way of={said(way)?.value} kind={way} />}
        </Cell>
      ))}
    </tr>
  );
}

const Wrong = ({ words }: { words: string }) => <span className="badge bad">{words}</span>;

function Cell({ name, none, children }: { name: string; none: boolean; children: ReactNode }) {
  return (
    <td className="break" data-label={name}>
      <div>{none ? <span className="muted">{t.none}</span> : children}</div>
    </td>
  );
}

// Way is what may be done with rows; left out: nothing.
function Way({ of, kind }: { of: Node | undefined; kind: string }) {
  if (of === undefined) return <span className="muted">{t.roles.mayNot}</span>;
  const [filter, check] = ['filter', 'check'].map((word) => inWords(plain(member(of, word))));
  const columns = member(of, 'columns');
  const words = [kind !== 'delete' && columns && columns.items.map(({ value }) => String(value)).join(', '), filter && t.roles.onlyWhere(filter), check && t.roles.mustHold(check)].filter(Boolean);
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
