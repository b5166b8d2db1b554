// The list of all pages of administration: what it is filtered by, the rows, page after
// page, and what can be done with each. What it is filtered by stands in the address, so
// that who comes back from a row finds the list as it was.
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch, type LinkProps } from '@tanstack/react-router';
import { Plus, SearchX, type LucideIcon } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { t } from '../texts';
import { Button, classes, SearchField } from '../ui/controls';
import { Page } from '../ui/page';
import { Empty, Failed, Loading } from '../ui/state';
import { Actions, admin, useDelayed, type Action, type PageOf } from './common';

export interface Filter {
  tenant?: string;
  search?: string;
  kind?: string;
  ended?: boolean;
}

// useFilter is what the list is filtered by, and how it is changed.
export function useFilter() {
  const navigate = useNavigate();
  const filter = useSearch({ strict: false }) as Filter;
  const set = (next: Partial<Filter>) => void navigate({ to: '.', search: { ...filter, ...next } as never, replace: true });
  return { ...filter, set };
}

// usePaged reads a list page by page.
export function usePaged<T>(key: unknown[], operation: string, variables: Record<string, unknown>, enabled = true) {
  const asked = useInfiniteQuery({
    queryKey: key,
    enabled,
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam }) => {
      const page = await admin<PageOf<T> | T[]>(operation, { ...variables, after: pageParam ?? undefined });
      return Array.isArray(page) ? { items: page, next: null } : page; // some lists come whole
    },
    getNextPageParam: (last) => last.next,
  });
  return { ...asked, items: asked.data?.pages.flatMap(({ items }) => items) };
}

type Paged<T> = Pick<ReturnType<typeof usePaged<T>>, 'items' | 'error' | 'hasNextPage' | 'isFetchingNextPage' | 'refetch' | 'fetchNextPage'>;

export interface Column<T> {
  name: string;
  cell: (item: T) => ReactNode;
  lesser?: boolean; // goes where the window is narrow
  text?: boolean; // may be long
}

interface Rows<T> {
  label: string;
  of: Paged<T>;
  id: (item: T) => string;
  columns: Column<T>[];
  actions?: (item: T) => (Action | false | undefined)[];
  name?: (item: T) => string; // in the name of what can be done
  empty: ReactNode;
}

// Rows are the list itself, or the state it is in.
export function Rows<T>({ label, of, id, columns, actions, name = id, empty }: Rows<T>) {
  if (!of.items) return <div className="card">{of.error ? <Failed error={of.error} retry={() => void of.refetch()} /> : <Loading />}</div>;
  if (of.items.length === 0) return <div className="card">{empty}</div>;
  return (
    <div className="card">
      <div className="table-scroll" tabIndex={0} role="group" aria-label={label}>
        <table className="table">
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.name} scope="col" className={classes(column.lesser && 'lesser') || undefined}>
                  {column.name}
                </th>
              ))}
              {actions && (
                <th scope="col">
                  <span className="hidden-visually">{t.actions}</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {of.items.map((item) => (
              <tr key={id(item)}>
                {columns.map((column) => (
                  <td key={column.name} className={classes(column.lesser && 'lesser', column.text && 'break') || undefined}>
                    {column.cell(item)}
                  </td>
                ))}
                {actions && (
                  <td className="actions">
                    <Actions of={name(item)} items={actions(item)} />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {of.hasNextPage && (
        <div className="more">
          <Button isDisabled={of.isFetchingNextPage} onPress={() => void of.fetchNextPage()}>
            {t.more}
          </Button>
        </div>
      )}
      {of.error ? <Failed error={of.error} retry={() => void of.fetchNextPage()} /> : null}
    </div>
  );
}

export interface Nothing {
  icon: LucideIcon;
  title: string;
  words: string;
  action?: ReactNode;
}

interface Listing<T> extends Omit<Rows<T>, 'label' | 'empty'> {
  title: string;
  lead: string;
  create?: { name: string; act: () => void } | false;
  search?: string; // the name of its field
  filters?: ReactNode;
  before?: ReactNode; // what is worth knowing first
  empty: Nothing; // where nothing is searched for
  children?: ReactNode;
}

// Listing is a page with a list.
export function Listing<T>({ title, lead, create, search, filters, before, empty, children, ...rows }: Listing<T>) {
  const filter = useFilter();
  const make = create && (
    <Button look="primary" onPress={create.act}>
      <Plus size={16} aria-hidden />
      {create.name}
    </Button>
  );
  return (
    <Page title={title} lead={lead} actions={make}>
      {before}
      {(search || filters) && (
        <div className="filters">
          {search && <Search label={search} />}
          {filters}
        </div>
      )}
      <Rows
        {...rows}
        label={title}
        empty={
          filter.search ? (
            <Empty icon={SearchX} title={t.list.nothing} action={<Button onPress={() => filter.set({ search: undefined })}>{t.clear}</Button>}>
              {t.list.nothingWords}
            </Empty>
          ) : (
            <Empty icon={empty.icon} title={empty.title} action={empty.action ?? (create && <Button onPress={create.act}>{create.name}</Button>)}>
              {empty.words}
            </Empty>
          )
        }
      />
      {children}
    </Page>
  );
}

// Search asks once nobody types any more.
function Search({ label }: { label: string }) {
  const { search = '', set } = useFilter();
  const [text, setText] = useState(search);
  const wanted = useDelayed(text.trim());
  useEffect(() => setText((now) => (now.trim() === search ? now : search)), [search]);
  useEffect(() => {
    if (wanted !== search) set({ search: wanted || undefined });
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [wanted]);
  return <SearchField label={label} value={text} onChange={setText} />;
}

// Named is the first cell of a row: its name, which leads to its page, and a line below.
export function Named({ to, children, under }: { to: LinkProps; children: ReactNode; under?: ReactNode }) {
  return (
    <>
      <Link {...to} className="link">
        {children}
      </Link>
      {under && <span className="under">{under}</span>}
    </>
  );
}
