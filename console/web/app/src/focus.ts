// Where the focus goes when what had it is gone: a removed entry's neighbor, what opened a dialog, or the
// content of a page that was replaced. Browsers leave it with nobody, and keyboards begin at the top again.

const tabbable = ':is(a[href], button, input, select, textarea, summary, [tabindex]):not([tabindex="-1"], :disabled)';

interface Place {
  parent: Element;
  before: Node | null; // what stood before it
  gone: Element;
}

// inside are what can have the focus in a part of the page, itself among them, in their order.
function inside(part: Element): HTMLElement[] {
  return [...(part.matches(tabbable) ? [part] : []), ...part.querySelectorAll(tabbable)] as HTMLElement[];
}

const shown = (element: Element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('[inert]');

// neighbor is the like of what is gone in the entry that stands in its entry's place, or else in the one before.
function neighbor({ parent, before, gone }: Place, had: Element): HTMLElement | undefined {
  const entries = [...parent.children].filter(({ localName, classList }) => localName === gone.localName && classList[0] === gone.classList[0]);
  const next = entries.find((entry) => !before?.isConnected || before.compareDocumentPosition(entry) & Node.DOCUMENT_POSITION_FOLLOWING) ?? entries.at(-1);
  if (!next) return undefined;
  const [were, are] = [inside(gone), inside(next)];
  return are.at(were.indexOf(had as HTMLElement) - were.length) ?? are.at(-1);
}

// around is the first that can have it in the nearest part of the page around the place.
function around({ parent }: Place): HTMLElement | undefined {
  for (let part: Element | null = parent; part?.closest('main, [role=dialog]'); part = part.parentElement) {
    if (part.matches('main')) return part as HTMLElement;
    const first = inside(part).find(shown);
    if (first) return first;
  }
  return undefined;
}

export function keepFocus() {
  let had: Element | undefined;
  let place: Place | undefined;
  let past: { element: HTMLElement; page: boolean }[] = []; // what had it, on the page or above it, the last one last
  let waiting = false;

  document.addEventListener('focusin', ({ target }) => {
    had = target as HTMLElement;
    place = undefined;
    past = [...past.filter(({ element }) => element !== had).slice(-100), { element: had as HTMLElement, page: had.closest('#console') !== null }];
  });

  function find(): HTMLElement | null {
    const content = document.getElementById('content');
    if (!place?.parent.isConnected) return content;
    // What a dialog or a menu was opened with, unless that is gone with it or can have it no longer.
    if (!place.parent.closest('#console')) {
      const opener = past.findLast(({ element, page }) => page || (element.isConnected && shown(element)))?.element;
      return opener?.isConnected && shown(opener) && opener.matches(tabbable) ? opener : content;
    }
    return (place.parent.closest('main, [role=dialog]') && (neighbor(place, had!) ?? around(place))) || content;
  }

  // Dialogs and menus give it back by themselves, a moment after they are gone, where they know to whom.
  function look() {
    waiting = false;
    if (!had || had.isConnected || (document.activeElement !== document.body && document.activeElement !== null)) return;
    find()?.focus();
  }

  new MutationObserver((changes) => {
    if (!had || had.isConnected) return;
    for (const { removedNodes, target, previousSibling } of changes) {
      const gone = [...removedNodes].find((node): node is Element => node instanceof Element && (node.contains(had!) || (place !== undefined && node.contains(place.parent))));
      if (gone && target instanceof Element) place = { parent: target, before: previousSibling, gone };
    }
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => requestAnimationFrame(look));
  }).observe(document.body, { childList: true, subtree: true });
}
