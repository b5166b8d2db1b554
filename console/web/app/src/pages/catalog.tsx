// What there is to ask: datasets to the left, the one that was chosen beside them.
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowLeft, KeyRound, SearchX, SquareTerminal, Table2 } from 'lucide-react';
import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { ask } from '../api';
import { useMe } from '../me';
import { t } from '../texts';
import { Button, classes, SearchField } from '../ui/controls';
import { toOpen } from '../query/store';
import { Page } from '../ui/page';
import { Empty, Loaded } from '../ui/state';
import { Drawing } from './drawing';

export interface Listed {
  name: string;
  label: string | null;
  description: string | null;
  common: boolean;
  relations: { name: string; to: string; many: boolean }[];
}

interface Field {
  name: string;
  type: string;
  label: string | null;
  description: string | null;
}

interface Dataset extends Listed {
  type: string;
  columns: (Field & { nullable: boolean })[];
  measures: Field[];
  parameters: { name: string; type: string; required: boolean }[];
  relations: { name: string; to: string; many: boolean; description: string | null }[];
  key: string[];
  aggregate: boolean;
  limit: number;
  maxLimit: number;
}

export const datasetsQuery = {
  queryKey: ['datasets'],
  queryFn: () => ask<{ datasets: Listed[] }>('{ datasets { name label description common relations { name to many } } }').then(({ datasets }) => datasets),
  staleTime: 60_000,
};

const one = `query Dataset($name: String!) { dataset(name: $name) {
  name type label description common key aggregate limit maxLimit
  columns { name type nullable label description }
  measures { name type label description }
  relations { name to many description }
  parameters { name type required }
} }`;

export function Catalog() {
  const { dataset } = useParams({ strict: false }) as { dataset?: string };
  const list = useQuery(datasetsQuery);
  const me = useMe();
  return (
    <Page title={t.catalog.title} lead={list.data && t.catalog.lead(list.data.length)}>
      <Loaded of={list}>
        {(datasets) =>
          datasets.length === 0 ? (
            <div className="card">
              <Empty icon={Table2} title={t.catalog.empty}>
                {me.has('AdminQuery.configuration') ? t.catalog.emptyForOperators : t.catalog.emptyWords}
              </Empty>
            </div>
          ) : (
            <div className={classes('catalog', dataset !== undefined && 'chosen')}>
              <List datasets={datasets} chosen={dataset} />
              {dataset === undefined ? (
                <div className="card detail nothing">
                  <Empty icon={Table2} title={t.catalog.choose}>
                    {t.catalog.chooseWords}
                  </Empty>
                </div>
              ) : (
                <Detail key={dataset} name={dataset} all={datasets} />
              )}
            </div>
          )
        }
      </Loaded>
    </Page>
  );
}

const rowHeight = 52;

function List({ datasets, chosen }: { datasets: Listed[]; chosen?: string }) {
  const [search, setSearch] = useState('');
  const wanted = useDeferredValue(search.trim().toLowerCase());
  const found = useMemo(
    () => datasets.filter(({ name, label, description }) => [name, label, description].some((text) => text?.toLowerCase().includes(wanted))),
    [datasets, wanted],
  );
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: found.length, getScrollElement: () => scroll.current, estimateSize: () => rowHeight, overscan: 12 });
  useEffect(() => {
    const at = found.findIndex(({ name }) => name === chosen);
    if (at >= 0) rows.scrollToIndex(at, { align: 'auto' });
    // Only a choice moves the list; typing does not.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [chosen]);
  return (
    <section className="card list" aria-label={t.catalog.list}>
      <div className="list-head">
        <SearchField label={t.catalog.search} value={search} onChange={setSearch} />
      </div>
      {found.length === 0 ? (
        <Empty icon={SearchX} title={t.catalog.none} action={<Button onPress={() => setSearch('')}>{t.clear}</Button>}>
          {t.catalog.noneWords}
        </Empty>
      ) : (
        <div className="list-scroll" ref={scroll}>
          <ul style={{ height: rows.getTotalSize() }}>
            {rows.getVirtualItems().map(({ index, start }) => {
              const { name, label, description } = found[index]!;
              return (
                <li key={name} style={{ height: rowHeight, transform: `translateY(${start}px)` }} aria-setsize={found.length} aria-posinset={index + 1}>
                  <Link to="/catalog/$dataset" params={{ dataset: name }} aria-current={name === chosen ? 'true' : undefined}>
                    <span className="lead truncate">{label ?? name}</span>
                    {(label || description) && <span className="under truncate">{label ? name : description}</span>}
                  </Link>
                </li>
              );
            })}
          </ul>
        </div>
      )}
    </section>
  );
}

function Detail({ name, all }: { name: string; all: Listed[] }) {
  const asked = useQuery({
    queryKey: ['dataset', name],
    queryFn: () => ask<{ dataset: Dataset | null }>(one, { name }).then(({ dataset }) => dataset),
    staleTime: 60_000,
  });
  return (
    <section className="card detail" aria-label={name}>
      <Link to="/catalog" className="button quiet small back">
        <ArrowLeft size={16} aria-hidden />
        {t.catalog.back}
      </Link>
      <Loaded of={asked}>
        {(dataset) =>
          dataset ? (
            <Found dataset={dataset} all={all} />
          ) : (
            <Empty icon={SearchX} title={t.catalog.gone}>
              {t.catalog.goneWords}
            </Empty>
          )
        }
      </Loaded>
    </section>
  );
}

function Found({ dataset, all }: { dataset: Dataset; all: Listed[] }) {
  const navigate = useNavigate();
  const incoming = useMemo(
    () => all.flatMap((other) => other.relations.filter(({ to }) => to === dataset.name && other.name !== dataset.name).map((relation) => ({ ...relation, from: other.name }))),
    [all, dataset.name],
  );
  const me = useMe();
  const { columns, measures, relations, parameters } = dataset;
  function query() {
    const fields = columns.slice(0, 8).map((column) => `    ${column.name}`);
    toOpen.want(me, `query {\n  ${dataset.name}(limit: 20) {\n${fields.join('\n') || '    __typename'}\n  }\n}\n`);
    void navigate({ to: '/query' });
  }
  return (
    <>
      <header className="detail-head">
        <div>
          <h2>{dataset.label ?? dataset.name}</h2>
          <p className="row">
            {dataset.label && <code>{dataset.name}</code>}
            <span className={classes('badge', dataset.common && 'warn')}>{dataset.common ? t.catalog.common : t.catalog.perTenant}</span>
          </p>
        </div>
        <Button small onPress={query}>
          <SquareTerminal size={14} aria-hidden />
          {t.catalog.query}
        </Button>
      </header>
      {dataset.description && <p className="words">{dataset.description}</p>}
      <dl className="facts">
        <Fact name={t.catalog.key}>{dataset.key.length > 0 ? <code>{dataset.key.join(', ')}</code> : t.catalog.noKey}</Fact>
        <Fact name={t.catalog.limit}>{t.catalog.limitWords(dataset.limit, dataset.maxLimit)}</Fact>
        <Fact name={t.catalog.aggregate}>{t.catalog.aggregates[String(dataset.aggregate) as 'true' | 'false']}</Fact>
        <Fact name={t.catalog.type}>
          <code>{dataset.type}</code>
        </Fact>
      </dl>

      <Section title={t.catalog.columns} count={columns.length} none={t.catalog.noColumns}>
        <Fields fields={columns} mark={(column) => dataset.key.includes(column.name)} nullable={(column) => (column as { nullable?: boolean }).nullable} />
      </Section>
      <Section title={t.catalog.measures} count={measures.length} none={t.catalog.noMeasures}>
        <Fields fields={measures} />
      </Section>
      <Section title={t.catalog.relations} count={relations.length + incoming.length} none={t.catalog.noRelations}>
        <Drawing name={dataset.name} to={relations} from={incoming} />
        <div className="table-scroll">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t.catalog.name}</th>
                <th scope="col">{t.catalog.to}</th>
                <th scope="col">{t.catalog.rows}</th>
                <th scope="col" className="lesser">
                  {t.catalog.means}
                </th>
              </tr>
            </thead>
            <tbody>
              {relations.map((relation) => (
                <tr key={relation.name}>
                  <td>
                    <code>{relation.name}</code>
                  </td>
                  <td>
                    <To name={relation.to} />
                  </td>
                  <td>
                    <span className="badge">{relation.many ? t.catalog.many : t.catalog.one}</span>
                  </td>
                  <td className="lesser muted">{relation.description}</td>
                </tr>
              ))}
              {incoming.map((relation) => (
                <tr key={`${relation.from}.${relation.name}`}>
                  <td>
                    <To name={relation.from} />
                    <code>.{relation.name}</code>
                  </td>
                  <td className="muted">{t.catalog.leadsHere}</td>
                  <td>
                    <span className="badge">{relation.many ? t.catalog.many : t.catalog.one}</span>
                  </td>
                  <td className="lesser" />
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Section>
      <Section title={t.catalog.parameters} count={parameters.length} none={t.catalog.noParameters}>
        <div className="table-scroll">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t.catalog.name}</th>
                <th scope="col">{t.catalog.type}</th>
                <th scope="col">{t.catalog.means}</th>
              </tr>
            </thead>
            <tbody>
              {parameters.map((parameter) => (
                <tr key={parameter.name}>
                  <td>
                    <code>{parameter.name}</code>
                  </td>
                  <td>
                    <span className="badge type">{parameter.type}</span>
                  </td>
                  <td>{parameter.required ? t.catalog.mustGive : t.catalog.hasDefault}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Section>
    </>
  );
}

function To({ name }: { name: string }) {
  return (
    <Link to="/catalog/$dataset" params={{ dataset: name }} className="link">
      {name}
    </Link>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Section({ title, count, none, children }: { title: string; count: number; none: string; children: React.ReactNode }) {
  return (
    <section className="part" aria-label={title}>
      <h3>
        {title} {count > 0 && <span className="badge">{count}</span>}
      </h3>
      {count === 0 ? <p className="muted small">{none}</p> : children}
    </section>
  );
}

function Fields({ fields, mark, nullable }: { fields: Field[]; mark?: (field: Field) => boolean; nullable?: (field: Field) => boolean | undefined }) {
  return (
    <div className="table-scroll">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t.catalog.name}</th>
            <th scope="col">{t.catalog.type}</th>
            <th scope="col" className="lesser">
              {t.catalog.means}
            </th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field.name}>
              <td>
                <span className="row">
                  <code>{field.name}</code>
                  {mark?.(field) && (
                    <span className="badge" title={t.catalog.key}>
                      <KeyRound size={11} aria-hidden />
                      {t.catalog.keyColumn}
                    </span>
                  )}
                </span>
                {field.label && <span className="under">{field.label}</span>}
                {field.description && <span className="under narrow">{field.description}</span>}
              </td>
              <td>
                <span className="badge type" title={nullable && (nullable(field) ? t.catalog.nullable : t.catalog.required)}>
                  {field.type}
                  {nullable && !nullable(field) && '!'}
                </span>
              </td>
              <td className="lesser muted">{field.description ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
