// Where two see differently: rows by their keys, values beside each other. Rows without a key among their columns are
// the same where all columns are, as often as they come.
import { Equal } from 'lucide-react';
import { useMemo } from 'react';
import { t } from '../../texts';
import { classes } from '../../ui/controls';
import { at, shown, type Came } from './asked';
import type { Compiled } from './compile';

interface Row {
  key: string;
  a: unknown;
  b: unknown;
}

const most = 100;

// grouped are numbers with their thousands apart and all digits.
const grouped = (value: unknown, text: string) => (typeof value === 'number' || (typeof value === 'object' && /^-?\d+(\.\d+)?$/.test(text)) ? text.replace(/^-?\d+/, (whole) => whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')) : text);

export function compared(a: unknown[], b: unknown[], keys: string[], columns: string[]): { alike: number; differ: Row[]; onlyA: number; onlyB: number } {
  const single = keys.length === 0 && a.length <= 1 && b.length <= 1; // one number for all
  const named = (rows: unknown[]) => {
    const seen = new Map<string, number>();
    return rows.map((row): [string, unknown] => {
      const name = single ? '' : JSON.stringify((keys.length ? keys : columns).map((path) => shown(at(row, path))));
      seen.set(name, (seen.get(name) ?? 0) + 1);
      return [`${name} ${seen.get(name)}`, row];
    });
  };
  const others = new Map(named(b));
  const differ: Row[] = [];
  let alike = 0;
  let onlyA = 0;
  named(a).forEach(([key, row]) => {
    const other = others.get(key);
    others.delete(key);
    if (other === undefined) onlyA++;
    else if (columns.every((path) => shown(at(row, path)) === shown(at(other, path)))) {
      alike++;
      return;
    }
    differ.push({ key, a: row, b: other });
  });
  for (const [key, row] of others) differ.push({ key, a: undefined, b: row });
  return { alike, differ, onlyA, onlyB: others.size };
}

export function Differences({ a, b, names, compiled }: { a: Came; b: Came; names: string[]; compiled: Compiled }) {
  const found = useMemo(() => compared(a.rows, b.rows, compiled.keys, compiled.columns.map(({ path }) => path)), [a, b, compiled]);
  const keys = compiled.columns.filter(({ path }) => compiled.keys.includes(path));
  const values = compiled.columns.filter(({ path }) => !compiled.keys.includes(path));
  return (
    <section className="card differences" aria-label={t.explore.differences}>
      <header>
        <div>
          <h2>{t.explore.differences}</h2>
          <p role="status">{t.explore.differ(found.alike, found.differ.length - found.onlyA - found.onlyB, found.onlyA, found.onlyB)}</p>
          {keys.length === 0 && (a.rows.length > 1 || b.rows.length > 1) && <p>{t.explore.byAllColumns}</p>}
        </div>
      </header>
      {found.differ.length === 0 ? (
        <p className="note good">
          <Equal size={16} aria-hidden />
          <span>{t.explore.alike}</span>
        </p>
      ) : (
        <div className="table-scroll" tabIndex={0} role="group" aria-label={t.explore.differences}>
          <table className="table">
            <thead>
              <tr>
                {keys.map(({ path, label }) => (
                  <th key={path} scope="col">
                    {label}
                  </th>
                ))}
                {values.flatMap(({ path, label }) =>
                  names.map((who, index) => (
                    <th key={`${path} ${index}`} scope="col" className="number">
                      {label}
                      <span className="under">{who}</span>
                    </th>
                  )),
                )}
              </tr>
            </thead>
            <tbody>
              {found.differ.slice(0, most).map((row) => (
                <tr key={row.key}>
                  {keys.map(({ path }) => (
                    <td key={path}>{shown(at(row.a ?? row.b, path))}</td>
                  ))}
                  {values.flatMap(({ path }) => {
                    const [one, other] = [row.a, row.b].map((side) => (side === undefined ? undefined : shown(at(side, path))));
                    const mark = one !== other;
                    return [one, other].map((text, index) => (
                      <td key={`${path} ${index}`} className={classes('number', mark && 'differs')}>
                        {text === undefined ? <span className="muted">{t.explore.missing}</span> : grouped(at(index === 0 ? row.a : row.b, path), text)}
                      </td>
                    ));
                  })}
                </tr>
              ))}
            </tbody>
          </table>
          {found.differ.length > most && <p className="muted tiny rest">{t.explore.rest(found.differ.length - most)}</p>}
        </div>
      )}
    </section>
  );
}
