// The page of a dashboard, to be arranged: by dragging and by keys, which both ask for a
// place and take what put makes of it.
import { Copy, GripVertical, MoveDiagonal2, Trash2 } from 'lucide-react';
import { useEffect, useLayoutEffect, useRef, useState, type CSSProperties, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import { t } from '../texts';
import { classes } from '../ui/controls';
import { columns, put, type Place, type Tile } from './document';

const row = 96;
const gap = 16;
const pages = [1000, 1392] as const; // pixels: the narrowest page that has all columns, and the widest

interface Props {
  tiles: Tile[];
  chosen: string | undefined;
  onChoose: (id: string) => void;
  onChange: (tiles: Tile[], kind: string) => void;
  onDuplicate: (id: string) => void;
  onRemove: (id: string) => void;
  wrong: ReadonlySet<string>;
  children: (tile: Tile) => ReactNode;
}

const differ = (a: Place, b: Place) => a.x !== b.x || a.y !== b.y || a.w !== b.w || a.h !== b.h;

interface Drag {
  id: string;
  sizes: boolean;
  from: { x: number; y: number };
  at: Place;
  tiles: Tile[]; // as they stood when it began
}

export function Grid({ tiles, chosen, onChoose, onChange, onDuplicate, onRemove, wrong, children }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const [{ width, room }, setSize] = useState({ width: 0, room: 0 });
  const [said, setSaid] = useState('');
  const moved = useRef<Tile[]>(undefined);
  const drag = useRef<Drag>(undefined);
  const [dragged, setDragged] = useState<string>();

  // Where a tile went is said until something else happens.
  useEffect(() => {
    if (tiles !== moved.current) setSaid('');
  }, [tiles]);

  useLayoutEffect(() => {
    const grid = host.current!;
    const measure = () => setSize({ width: grid.clientWidth, room: grid.closest('.editor-body')?.clientWidth ?? 0 });
    const observer = new ResizeObserver(measure);
    observer.observe(grid);
    measure();
    return () => observer.disconnect();
  }, []);

  const cell = (width - gap * (columns - 1)) / columns;
  const narrow = width < 520;
  // What there is room for where the dashboard is seen is not cut here: beside the form it is drawn smaller.
  const scale = narrow ? 1 : Math.min(1, width / Math.min(pages[1], Math.max(pages[0], room)));
  const ordered = [...tiles].sort((a, b) => a.at.y - b.at.y || a.at.x - b.at.x);

  function move(tile: Tile, place: Place) {
    const next = put(tiles, tile.id, place);
    const after = next.find(({ id }) => id === tile.id)!.at;
    if (differ(after, tile.at)) {
      moved.current = next;
      onChange(next, '');
    }
    setSaid(t.editor.place(after.x + 1, after.y + 1, after.w, after.h));
  }

  function keyed(event: KeyboardEvent, tile: Tile) {
    if (event.target !== event.currentTarget) return;
    const steps: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = steps[event.key];
    const { x, y, w, h } = tile.at;
    if (step && !event.altKey && !event.ctrlKey && !event.metaKey) {
      move(tile, event.shiftKey ? { x, y, w: Math.min(columns - x, w + step[0]), h: h + step[1] } : { x: x + step[0], y: y + step[1], w, h });
    } else if (event.key === 'Delete' || event.key === 'Backspace') onRemove(tile.id);
    else if (event.key === 'Enter' || event.key === ' ') onChoose(tile.id);
    else if (event.key === 'd' && !event.ctrlKey && !event.metaKey) onDuplicate(tile.id);
    else return;
    event.preventDefault();
  }

  // A tile is moved by all of it; where fingers scroll, by its bar.
  function begin(event: PointerEvent, tile: Tile, by: 'bar' | 'tile' | 'corner') {
    if (event.button !== 0 || narrow || drag.current || (by === 'tile' && (event.pointerType === 'touch' || (event.target as Element).closest('button')))) return;
    const sizes = by === 'corner';
    if (by !== 'tile') event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { id: tile.id, sizes, from: { x: event.clientX, y: event.clientY }, at: tile.at, tiles };
    if (by !== 'tile') setDragged(tile.id);
    onChoose(tile.id);
  }

  function dragging(event: PointerEvent) {
    const now = drag.current;
    if (!now) return;
    const x = Math.round((event.clientX - now.from.x) / (cell + gap));
    const y = Math.round((event.clientY - now.from.y) / (row + gap));
    const { at } = now;
    const place = now.sizes ? { ...at, w: Math.min(columns - at.x, at.w + x), h: at.h + y } : { ...at, x: at.x + x, y: at.y + y };
    const next = put(now.tiles, now.id, place);
    const before = tiles.find(({ id }) => id === now.id)?.at;
    const after = next.find(({ id }) => id === now.id)!.at;
    if (before && (after.x !== at.x || after.y !== at.y)) setDragged(now.id);
    if (before && differ(before, after)) onChange(next, `drag ${now.id} ${now.from.x} ${now.from.y}`);
  }

  function ended() {
    drag.current = undefined;
    setDragged(undefined);
  }

  const height = Math.max(4, ...tiles.map(({ at }) => at.y + at.h)) * (row + gap);
  return (
    <>
      <p className="hidden-visually" id="grid-keys">
        {t.editor.keys}
      </p>
      <div className={classes('edit-grid', narrow && 'narrow')} ref={host} style={narrow ? undefined : { height }} role="group" aria-label={t.editor.tiles}>
        {ordered.map((tile) => {
          const { x, y, w, h } = tile.at;
          const name = tile.title ?? tile.id;
          return (
            <div
              key={tile.id}
              className={classes('edit-tile', chosen === tile.id && 'chosen', dragged === tile.id && 'dragged', wrong.has(tile.id) && 'wrong')}
              style={
                narrow
                  ? { height: h * row + (h - 1) * gap }
                  : { left: x * (cell + gap), top: y * (row + gap), width: w * cell + (w - 1) * gap, height: h * row + (h - 1) * gap }
              }
              role="group"
              tabIndex={0}
              aria-label={t.editor.tileAt(name, x + 1, y + 1, w, h)}
              aria-describedby="grid-keys"
              onKeyDown={(event) => keyed(event, tile)}
              onClick={() => onChoose(tile.id)}
              onPointerDown={(event) => begin(event, tile, 'tile')}
              onPointerMove={dragging}
              onPointerUp={ended}
              onPointerCancel={ended}
            >
              <div className="edit-bar">
                <span className="grip" onPointerDown={(event) => begin(event, tile, 'bar')} aria-hidden>
                  <GripVertical size={14} />
                  <span className="truncate">{name}</span>
                </span>
                <button type="button" aria-label={t.editor.duplicate(name)} title={t.editor.duplicate(name)} onClick={(event) => (event.stopPropagation(), onDuplicate(tile.id))}>
                  <Copy size={14} aria-hidden />
                </button>
                <button type="button" aria-label={t.editor.removeTile(name)} title={t.editor.removeTile(name)} onClick={(event) => (event.stopPropagation(), onRemove(tile.id))}>
                  <Trash2 size={14} aria-hidden />
                </button>
              </div>
              <div className="edit-shown" style={{ '--scale': scale } as CSSProperties} inert>
                {children(tile)}
              </div>
              <span className="corner" onPointerDown={(event) => begin(event, tile, 'corner')} aria-hidden>
                <MoveDiagonal2 size={14} />
              </span>
            </div>
          );
        })}
      </div>
      <p className="hidden-visually" role="status">
        {said}
      </p>
    </>
  );
}
