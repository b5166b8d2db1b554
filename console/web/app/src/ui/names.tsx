// Several names: those that are known are offered, others can be typed.
import { X } from 'lucide-react';
import { useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { t } from '../texts';
import { Button, ComboBox, type Choice } from './controls';

// most is how many are offered at once; typing finds the others.
const most = 50;

export function matching(known: Choice[], text: string, without: string[] = []): Choice[] {
  const wanted = text.trim().toLowerCase();
  return known.filter(({ id, name, under }) => !without.includes(id) && [id, name, under].some((part) => part?.toLowerCase().includes(wanted))).slice(0, most);
}

const written = (text: string) => text.split(/[\s,]+/).filter(Boolean);

export function Names({ label, hint, wrong, value, onChange, known }: { label: string; hint?: string; wrong?: string; value: string[]; onChange: (names: string[]) => void; known: Choice[] }) {
  const [text, setText] = useState('');
  const [still, setStill] = useState(false);
  const host = useRef<HTMLDivElement>(null);
  function add(...names: string[]) {
    if (names.length > 0) onChange([...new Set([...value, ...names])]);
    setText('');
  }
  function remove(name: string) {
    flushSync(() => {
      onChange(value.filter((other) => other !== name));
      setStill(true);
    });
    host.current?.querySelector('input')?.focus();
  }
  // What is typed counts without being chosen: Enter and leaving the field add it.
  function typed(event: React.KeyboardEvent) {
    const input = event.target as HTMLElement;
    if (event.key !== 'Enter' || !text.trim() || input.tagName !== 'INPUT' || input.getAttribute('aria-activedescendant')) return;
    event.preventDefault();
    event.stopPropagation();
    add(...written(text));
  }
  return (
    <div className="field names" ref={host} onKeyDownCapture={typed} onBlur={(event) => event.target.tagName === 'INPUT' && text.trim() && !event.relatedTarget?.closest('.popover') && add(...written(text))}>
      <ComboBox custom label={label} hint={hint} wrong={wrong} choices={matching(known, text, value)} value={null} text={text} onText={setText} onChange={(id) => id !== null && add(id)} still={still} onLeave={() => setStill(false)} />
      {value.length > 0 && (
        <ul className="chosen" aria-label={label}>
          {value.map((name) => (
            <li key={name} className="badge">
              {name}
              <Button look="quiet" className="drop" aria-label={`${t.remove}: ${name}`} onPress={() => remove(name)}>
                <X size={12} aria-hidden />
              </Button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
