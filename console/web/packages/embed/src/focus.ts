/** Draws, and where what had the focus has gone, as the button that asked for it, what it stood in takes the focus. */
export function heldFocus(root: ShadowRoot | null, draw: () => void, heir: string): void {
  const had = root?.activeElement;
  draw();
  const next = had && !had.isConnected ? root!.querySelector<HTMLElement>(heir) : null;
  if (!next) return;
  next.tabIndex = -1;
  next.focus({ preventScroll: true });
  next.addEventListener('blur', () => next.removeAttribute('tabindex'), { once: true });
}
