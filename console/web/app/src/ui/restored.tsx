// What was not saved before: offered where its form is opened, and told in the form.
import { History } from 'lucide-react';
import { drafts, useDrafts } from '../drafts';
import { useMe } from '../me';
import { t } from '../texts';
import { Button } from './controls';
import { When } from './page';

// Offers are drafts of the forms of a page: each can be taken up or discarded.
export function Offers({ under, take }: { under: string; take: (what: string) => void }) {
  const me = useMe();
  return useDrafts(under).map(({ what, title, at }) => (
    <p key={what} className="note restored" role="status">
      <History size={16} aria-hidden />
      <span className="break">
        {t.drafts.offer(title)} <When at={new Date(at).toISOString()} />
      </span>
      <Button small aria-label={`${t.drafts.take}: ${title}`} onPress={() => take(what)}>
        {t.drafts.take}
      </Button>
      <Button
        small
        look="quiet"
        aria-label={`${t.drafts.discard}: ${title}`}
        onPress={() => drafts.drop(me, under + what)}
      >
        {t.drafts.discard}
      </Button>
    </p>
  ));
}

// Restored says that a form has what was not saved before, and takes it back.
export function Restored({ onDrop }: { onDrop: () => void }) {
  return (
    <p className="note restored" role="status">
      <History size={16} aria-hidden />
      <span>{t.drafts.restored}</span>
      <Button small onPress={onDrop}>
        {t.drafts.drop}
      </Button>
    </p>
  );
}
