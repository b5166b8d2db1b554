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

function Choices({ label, items, onPick }: { label: string; items: Item[]; onPick: (id: string) => void }) {
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const found = useMemo(() => (wanted === '' ? items : items.filter(({ id, name, under }) => [id, name, under].some((text) => text?.toLowerCase().includes(wanted)))), [items, wanted]);
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
