// Short words about what was done, which go by themselves.
import { CircleAlert, CircleCheck } from 'lucide-react';
import { useSyncExternalStore } from 'react';

let shown: { id: number; text: string; bad: boolean }[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: typeof shown) {
  shown = next;
  for (const listener of listeners) listener();
}

export function toast(text: string, bad = false) {
  const id = ++last;
  set([...shown.slice(-2), { id, text, bad }]);
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
      {texts.map(({ id, text, bad }) => (
        <div key={id} className={bad ? 'toast bad' : 'toast'}>
          {bad ? <CircleAlert size={16} aria-hidden /> : <CircleCheck size={16} aria-hidden />}
          {text}
        </div>
      ))}
    </div>
  );
}
