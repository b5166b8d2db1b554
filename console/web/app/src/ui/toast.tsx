// Short words about what was done, which go by themselves.
import { CircleCheck } from 'lucide-react';
import { useSyncExternalStore } from 'react';

let shown: { id: number; text: string }[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: typeof shown) {
  shown = next;
  for (const listener of listeners) listener();
}

export function toast(text: string) {
  const id = ++last;
  set([...shown.slice(-2), { id, text }]);
  setTimeout(() => set(shown.filter((one) => one.id !== id)), 5000);
}

export function Toasts() {
  const texts = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
  );
  return (
    <div className="toasts" role="status">
      {texts.map(({ id, text }) => (
        <div key={id} className="toast">
          <CircleCheck size={16} aria-hidden />
          {text}
        </div>
      ))}
    </div>
  );
}
