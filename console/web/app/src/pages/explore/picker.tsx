// A button that opens a list to search and choose from. Of long lists the first are
// shown, so that hundreds stay quick.
import { Plus } from 'lucide-react';
import { useMemo, useState, type ReactNode } from 'react';
import { Autocomplete, Dialog, DialogTrigger, Header, Menu, MenuItem, MenuSection, Popover } from 'react-aria-components';
import { t } from '../../texts';
import { Button, classes, SearchField } from '../../ui/controls';

export interface Item {
  id: string;
  name: string;
  under?: string;
  group?: string;
  mark?: string; // such as its type
}

const shown = 60;

export function Picker({ label, items, onPick, children, className, small = true, primary }: { label: string; items: Item[]; onPick: (id: string) => void; children?: ReactNode; className?: string; small?: boolean; primary?: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <DialogTrigger isOpen={open} onOpenChange={setOpen}>
      {children ? (
        <Button small={small} look={primary ? 'primary' : undefined} className={className} aria-label={label}>
          {children}
        </Button>
      ) : (
        <Button small look="quiet" icon aria-label={label} isDisabled={items.length === 0}>
          <Plus size={16} aria-hidden />
        </Button>
      )}
      <Popover className="popover picker" placement="bottom start">
        <Dialog className="picker-inner" aria-label={label}>
          <Choices
            label={label}
            items={items}
            onPick={(id) => {
              setOpen(false);
              onPick(id);
            }}
          />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

// matching are the items that have what is wanted: those of that very name come first, then columns of that name that
// relations lead to, then those whose name begins so.
function matching(items: Item[], wanted: string): Item[] {
  if (wanted === '') return items;
  const rank = ({ id, name, under }: Item) => {
    const [called, key] = [name.toLowerCase(), id.toLowerCase()];
    if (called === wanted || key === wanted) return 0;
    if (key.endsWith(`.${wanted}`)) return 1;
    if (called.startsWith(wanted) || key.startsWith(wanted)) return 2;
    if (called.split(/\s+/).some((part) => part.startsWith(wanted))) return 3;
    return called.includes(wanted) || key.includes(wanted) ? 4 : under?.toLowerCase().includes(wanted) ? 5 : undefined;
  };
  return items
    .flatMap((item) => {
      const at = rank(item);
      return at === undefined ? [] : [{ item, at }];
    })
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function Choices({ label, items, onPick }: { label: string; items: Item[]; onPick: (id: string) => void }) {
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const found = useMemo(() => matching(items, wanted), [items, wanted]);
  const groups = useMemo(() => {
    const made = new Map<string, Item[]>();
    for (const item of found.slice(0, shown)) made.set(item.group ?? '', [...(made.get(item.group ?? '') ?? []), item]);
    return [...made];
  }, [found]);
  return (
    <Autocomplete inputValue={search} onInputChange={setSearch}>
      <SearchField label={t.search} value={search} onChange={setSearch} autoFocus />
      <Menu className="menu picker-menu" aria-label={label} onAction={(key) => onPick(String(key))} renderEmptyState={() => <p className="muted small nothing">{t.explore.nothing}</p>}>
        {groups.map(([group, of]) => (
          <MenuSection key={group} id={`of ${group}`} aria-label={group || label}>
            {group && <Header>{group}</Header>}
            {of.map((item) => (
              <MenuItem key={item.id} id={item.id} textValue={item.name} className="item">
                <span className="what">
                  <span className="truncate">{item.name}</span>
                  {item.under && <span className="under truncate">{item.under}</span>}
                </span>
                {item.mark && <span className="badge type">{item.mark}</span>}
              </MenuItem>
            ))}
          </MenuSection>
        ))}
      </Menu>
      {found.length > shown && <p className={classes('muted', 'tiny', 'rest')}>{t.explore.rest(found.length - shown)}</p>}
    </Autocomplete>
  );
}
