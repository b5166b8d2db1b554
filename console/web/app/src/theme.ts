// Light, dark, or as the system: kept for this browser.
export type Theme = 'auto' | 'light' | 'dark';
const key = 'usher.theme';
const listeners = new Set<() => void>();

export const theme = {
  get(): Theme {
    const kept = localStorage.getItem(key);
    return kept === 'light' || kept === 'dark' ? kept : 'auto';
  },
  set(next: Theme) {
    if (next === 'auto') localStorage.removeItem(key);
    else localStorage.setItem(key, next);
    theme.apply();
    for (const listener of listeners) listener();
  },
  subscribe(listener: () => void) {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
  apply() {
    const chosen = theme.get();
    if (chosen === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
  },
};
