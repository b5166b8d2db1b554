// What a tile asks, and how it is drawn: fields that the query answers are offered.
import type { GraphQLSchema } from 'graphql';
import { useEffect, useMemo, useState } from 'react';
import { readDigits } from '../digits';
import { Editor } from '../query/editor';
import { isObject } from '../query/exact';
import { t } from '../texts';
import { Checkbox, Checks, Select, TextField, type Choice } from '../ui/controls';
import { freeId, kinds, without, type Chart, type Format, type Tile } from './document';
import { isNumber, shapeOf, type Leaf, type Shape } from './shape';

interface Props {
  tile: Tile;
  tiles: Tile[];
  schema: GraphQLSchema | undefined;
  onChange: (tile: Tile, kind: string) => void;
  onRename: (id: string) => void;
}

const none = '';
const uses: Record<string, { x?: boolean; y?: boolean; series?: boolean; size?: boolean; compare?: boolean; columns?: boolean; stacked?: boolean; horizontal?: boolean }> = {
  number: { y: true, compare: true },
  table: { columns: true, y: true, series: true },
  line: { x: true, y: true, series: true },
  area: { x: true, y: true, series: true, stacked: true },
  bar: { x: true, y: true, series: true, compare: true, stacked: true, horizontal: true },
  pie: { x: true, y: true },
  donut: { x: true, y: true },
  scatter: { x: true, y: true, series: true, size: true },
  heatmap: { x: true, y: true, series: true },
  pivot: { x: true, y: true, series: true },
};

const unused = { text: 0, x: 0, y: 0, series: 0, size: 0, compare: 0, columns: 0, stacked: 0, horizontal: 0 };

export function TilePanel({ tile, tiles, schema, onChange, onRename }: Props) {
  const { chart } = tile;
  const text = chart.kind === 'text';
  const shape = useMemo(() => shapeOf(tile.query ?? '', schema), [tile.query, schema]);
  const leaves = shape?.leaves(chart.rows) ?? [];
  const set = (part: Partial<Tile>, kind = '') => onChange(without({ ...tile, ...part }) as Tile, kind && `${kind} ${tile.id}`);
  const draw = (part: Partial<Chart>, kind = '') => set({ chart: without({ ...chart, ...part }) as Chart }, kind);
  const [id, setId] = useState(tile.id);
  useEffect(() => setId(tile.id), [tile.id]);
  const idWrong = !/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(id) ? t.editor.idForm : id !== tile.id && tiles.some((other) => other.id === id) ? t.editor.idTaken : undefined;

  function become(kind: string) {
    if (kind === 'text') onChange(without({ ...tile, query: undefined, variables: undefined, chart: { kind, text: chart.text ?? tile.title ?? '' } }) as Tile, '');
    else {
      // What the kind has no use for would be told of as leading nowhere.
      const use = uses[kind] ?? {};
      const kept = Object.fromEntries(Object.entries(chart).filter(([name]) => !(name in unused) || use[name as keyof typeof use])) as Partial<Chart>;
      onChange(without({ ...tile, chart: without({ ...kept, kind, rows: chart.rows ?? guessRows(shape) }) as Chart }) as Tile, '');
    }
  }

  // Where its rows are follows from a query that has one list, as long as nobody has chosen among several.
  function ask(query: string) {
    const next = shapeOf(query, schema);
    const leads = next !== undefined && chart.rows !== undefined && next.leads(chart.rows);
    const rows = leads || (chart.rows !== undefined && next?.lists.length !== 1) ? chart.rows : (guessRows(next) ?? chart.rows);
    onChange({ ...tile, query: query || undefined, chart: without({ ...chart, rows }) as Chart }, `query ${tile.id}`);
  }

  const paths = (of: Leaf[], has: string | undefined): Choice[] => {
    const all = [{ id: none, name: t.editor.guessed }, ...of.map(({ path }) => ({ id: path, name: path }))];
    return has !== undefined && has !== '' && !of.some(({ path }) => path === has) ? [...all, { id: has, name: `${has} ${t.editor.leadsNowhere}` }] : all;
  };
  const use = uses[chart.kind] ?? {};
  const plain = leaves.filter(({ list }) => !list);
  const rows = [...(shape?.lists ?? []), ...(chart.kind === 'number' ? (shape?.objects ?? []) : [])];
  const measured = [...new Set([...leaves.filter(isNumber).map(({ path }) => path), ...(chart.y ?? [])])];
  const formatted = [...new Set([...(chart.y ?? []), ...(chart.columns?.map(({ path }) => path) ?? []), ...(chart.x ? [chart.x] : []), ...(chart.compare ? [chart.compare] : [])])];

  return (
    <div className="edit-form">
      <div className="columns">
        <TextField label={t.editor.tileTitle} value={tile.title ?? ''} onChange={(title) => set({ title }, 'title')} autoComplete="off" />
        <TextField label={t.editor.id} hint={t.editor.idHint} wrong={idWrong} value={id} onChange={setId} onBlur={() => (idWrong ? setId(tile.id) : id !== tile.id && onRename(id))} autoComplete="off" mono />
      </div>
      <TextField label={t.editor.tileWords} value={tile.description ?? ''} onChange={(description) => set({ description }, 'description')} autoComplete="off" />
      <Select label={t.editor.kind} value={chart.kind} onChange={become} choices={kinds.map((kind) => ({ id: kind, name: t.editor.kinds[kind] ?? kind }))} />
      {text ? (
        <TextField label={t.editor.text} hint={t.editor.textHint} value={chart.text ?? ''} onChange={(words) => onChange({ ...tile, chart: { ...chart, text: words } }, `text ${tile.id}`)} lines={6} />
      ) : (
        <>
          <div className="field">
            <span className="label">{t.editor.query}</span>
            <div className="edit-code">
              <Editor label={t.editor.query} language="graphql" schema={schema} value={tile.query ?? ''} onChange={(query) => query !== (tile.query ?? '') && ask(query)} />
            </div>
            {tile.query && schema && !shape && <span className="wrong">{t.editor.unread}</span>}
          </div>
          <JSONField label={t.editor.variables} hint={t.editor.variablesHint} value={tile.variables} onChange={(variables) => set({ variables: variables && Object.keys(variables).length > 0 ? variables : undefined }, 'variables')} />
          <Select label={t.editor.rows} value={chart.rows ?? none} onChange={(path) => draw({ rows: path })} choices={paths(rows.map((path) => ({ path, type: '', list: false })), chart.rows).slice(chart.rows ? 1 : 0)} />
          {use.columns && (
            <Checks
              label={t.editor.columns}
              value={chart.columns?.map(({ path }) => path) ?? []}
              onChange={(chosen) => draw({ columns: chosen.map((path) => chart.columns?.find((column) => column.path === path) ?? { path }) })}
              choices={[...new Set([...leaves.map(({ path }) => path), ...(chart.columns?.map(({ path }) => path) ?? [])])].map((path) => ({ id: path, name: path }))}
            />
          )}
          {use.x && <Select label={t.editor.x} value={chart.x ?? none} onChange={(x) => draw({ x })} choices={paths(plain, chart.x)} />}
          {use.y && <Checks label={chart.kind === 'table' ? t.editor.bars : t.editor.y} value={chart.y ?? []} onChange={(y) => draw({ y })} choices={measured.map((path) => ({ id: path, name: path }))} />}
          {use.series && <Select label={chart.kind === 'table' ? t.editor.under : t.editor.series} value={chart.series ?? none} onChange={(series) => draw({ series })} choices={paths(plain, chart.series)} />}
          {use.size && <Select label={t.editor.size} value={chart.size ?? none} onChange={(size) => draw({ size })} choices={paths(plain.filter(isNumber), chart.size)} />}
          {use.compare && <Select label={t.editor.compare} value={chart.compare ?? none} onChange={(compare) => draw({ compare })} choices={paths(leaves.filter(isNumber), chart.compare)} />}
          {(use.stacked || use.horizontal) && (
            <div className="row">
              {use.stacked && (
                <Checkbox isSelected={chart.stacked === true} onChange={(stacked) => draw({ stacked })}>
                  {t.editor.stacked}
                </Checkbox>
              )}
              {use.horizontal && (
                <Checkbox isSelected={chart.horizontal === true} onChange={(horizontal) => draw({ horizontal })}>
                  {t.editor.horizontal}
                </Checkbox>
              )}
            </div>
          )}
          {formatted.map((path) => (
            <FormatOf key={path} path={path} format={chart.format?.[path] ?? {}} onChange={(format) => draw({ format: tidy({ ...chart.format, [path]: format }) }, `format ${path}`)} />
          ))}
          <JSONField label={t.editor.chart} hint={t.editor.chartHint} value={chart as unknown as Record<string, unknown>} onChange={(whole) => whole && typeof whole.kind === 'string' && set({ chart: whole as unknown as Chart }, 'chart')} />
        </>
      )}
    </div>
  );
}

const guessRows = (shape: Shape | undefined) => shape?.lists[0] ?? shape?.objects[0];

function tidy(formats: Record<string, Format>): Record<string, Format> | undefined {
  const said = Object.entries(formats).filter(([, format]) => Object.keys(format).length > 0);
  return said.length > 0 ? Object.fromEntries(said) : undefined;
}

function FormatOf({ path, format, onChange }: { path: string; format: Format; onChange: (format: Format) => void }) {
  const set = (part: Partial<Format>) => onChange(without({ ...format, ...part }) as Format);
  return (
    <fieldset className="edit-format">
      <legend className="label">{t.editor.formatOf(path)}</legend>
      <Select label={t.editor.style} value={format.style ?? none} onChange={(style) => set({ style: style as Format['style'], ...(style === 'currency' ? { currency: format.currency ?? 'USD' } : { currency: undefined }) })} choices={Object.entries(t.editor.styles).map(([id, name]) => ({ id, name }))} />
      {format.style === 'currency' && <TextField label={t.editor.currency} value={format.currency ?? ''} onChange={(currency) => set({ currency: currency.toUpperCase() })} maxLength={3} autoComplete="off" />}
      {format.style === 'date' ? (
        <Select label={t.editor.unit} value={format.unit ?? none} onChange={(unit) => set({ unit: unit as Format['unit'] })} choices={[{ id: none, name: t.editor.guessed }, ...['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'].map((id) => ({ id, name: id }))]} />
      ) : (
        <TextField label={t.editor.digits} value={format.digits === undefined ? '' : String(format.digits)} onChange={(digits) => /^\d{0,2}$/.test(digits) && set({ digits: digits === '' ? undefined : Math.min(20, Number(digits)) })} inputMode="numeric" autoComplete="off" />
      )}
    </fieldset>
  );
}

// JSONField keeps what is being typed, and hands on what is an object.
export function JSONField({ label, hint, value, onChange }: { label: string; hint?: string; value: Record<string, unknown> | undefined; onChange: (value: Record<string, unknown> | undefined) => void }) {
  const written = value === undefined ? '' : JSON.stringify(value, undefined, 2);
  const [text, setText] = useState(written);
  const [of, setOf] = useState(written);
  if (of !== written) {
    setOf(written);
    // Unless it is what has just been typed, in other words.
    if (!isObject(text) || JSON.stringify(readDigits(text), undefined, 2) !== written) setText(written);
  }
  const wrong = text.trim() !== '' && !isObject(text);
  return (
    <TextField
      label={label}
      hint={hint}
      wrong={wrong ? t.tokens.badJSON : undefined}
      value={text}
      lines={3}
      mono
      onChange={(next) => {
        setText(next);
        if (next.trim() === '') onChange(undefined);
        else if (isObject(next)) onChange(readDigits(next) as Record<string, unknown>);
      }}
    />
  );
}

export const newTile = (tiles: Tile[], y: number): Tile => ({
  id: freeId(tiles, 'tile'),
  title: t.editor.newTile,
  at: { x: 0, y, w: 6, h: 4 },
  chart: { kind: 'bar' },
});
