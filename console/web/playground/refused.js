// What the server said when it refused the token last, until it accepts one.
const listeners = new Set();
let message;

export const refused = {
  get: () => message,
  set(next) {
    if (next === message) return;
    message = next;
    for (const listener of listeners) listener();
  },
  subscribe(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};
