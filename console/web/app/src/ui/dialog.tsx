// Dialogs: a form, a typed confirmation, a text that is shown once.
import { CircleAlert, CircleCheck, Copy } from 'lucide-react';
import { useEffect, useId, useState, type FormEvent, type ReactNode } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Failure } from '../api';
import type { Draft } from '../drafts';
import { t } from '../texts';
import { Button, classes, TextField } from './controls';
import { Restored } from './restored';
import { toast } from './toast';

export function Dialog({ title, lead, wide, onClose, children, keep }: { title: string; lead?: string; wide?: boolean; keep?: boolean; onClose: () => void; children: ReactNode }) {
  return (
    <ModalOverlay isOpen isDismissable={!keep} className="veil" onOpenChange={(open) => !open && onClose()}>
      <Modal className={classes('dialog-modal', wide && 'wide')}>
        <AriaDialog className="dialog">
          <header>
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            {lead && <p>{lead}</p>}
          </header>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

// useSubmit runs one change at a time and keeps what went wrong with it, until the form
// says something else.
export function useSubmit(form?: string) {
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<string>();
  useEffect(() => setError(undefined), [form]);
  async function submit(change: () => Promise<void>) {
    if (pending) return;
    setPending(true);
    setError(undefined);
    try {
      await change();
    } catch (failure) {
      setError(failure instanceof Failure ? failure.message : t.errors.pageWords);
    } finally {
      setPending(false);
    }
  }
  return { pending, error, submit };
}

interface FormProps {
  title: string;
  lead?: string;
  wide?: boolean;
  action: string;
  danger?: boolean;
  disabled?: boolean | string; // a text says what is missing
  form?: string; // what it says; a refusal goes when it changes
  takes?: string | false; // what it takes away: said before it is done
  draft?: Pick<Draft<object>, 'found' | 'changed' | 'drop' | 'done'>; // of the form: it ends with what it is for, or when somebody gives it up
  submit: () => Promise<void>;
  onClose: () => void;
  extra?: ReactNode;
  children?: ReactNode | ((error: string | undefined) => ReactNode); // a function shows the error itself
}

// FormDialog closes when what it is for has been done.
export function FormDialog({ title, lead, wide, action, danger, disabled, form, takes, draft, submit, onClose: close, extra, children }: FormProps) {
  const doing = useSubmit(form);
  const why = useId();
  const [warned, setWarned] = useState<string>();
  const warns = takes && warned === takes;
  function send(event: FormEvent) {
    event.preventDefault();
    if (disabled) return;
    if (takes && !warns) setWarned(takes);
    else
      void doing.submit(async () => {
        await submit();
        draft?.done();
      });
  }
  function giveUp() {
    draft?.done();
    close();
  }
  return (
    // Escape is too near to other keys to take away what was written: it is there again when the form is opened again.
    <Dialog title={title} lead={lead} wide={wide} onClose={close} keep={doing.pending || draft?.changed}>
      <form onSubmit={send} noValidate>
        <div className="body">
          {draft?.found && <Restored onDrop={draft.drop} />}
          {typeof children === 'function' ? children(doing.error) : children}
          {doing.error && typeof children !== 'function' && <Wrong>{doing.error}</Wrong>}
          {warns && (
            <p className="note warn" role="alert">
              <CircleAlert size={16} aria-hidden />
              {takes}
            </p>
          )}
        </div>
        <footer>
          {extra}
          {typeof disabled === 'string' && (
            <span className="lacks" id={why}>
              {disabled}
            </span>
          )}
          <Button onPress={giveUp} isDisabled={doing.pending}>
            {t.cancel}
          </Button>
          <Button type="submit" look={danger || warns ? 'danger' : 'primary'} isDisabled={Boolean(disabled) || doing.pending} aria-describedby={typeof disabled === 'string' ? why : undefined}>
            {warns ? t.confirm.anyway(action) : action}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

export function Wrong({ children }: { children: ReactNode }) {
  return (
    <p className="note bad" role="alert">
      <CircleAlert size={16} aria-hidden />
      <span>{children}</span>
    </p>
  );
}

// Confirm asks before what cannot be undone: the name has to be typed.
export function Confirm({ title, lead, name, action, submit, onClose, children }: { title: string; lead: string; name?: string; action: string; submit: () => Promise<void>; onClose: () => void; children?: ReactNode }) {
  const [typed, setTyped] = useState('');
  return (
    <FormDialog title={title} lead={lead} action={action} danger disabled={name !== undefined && typed !== name} submit={submit} onClose={onClose}>
      {name !== undefined && <TextField label={t.confirm.type(name)} value={typed} onChange={setTyped} autoFocus autoComplete="off" />}
      {children}
    </FormDialog>
  );
}

export async function copy(text: string) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t.copied);
  } catch {
    toast(t.notCopied, true); // pages that came without HTTPS have no clipboard
  }
}

export function Secret({ text, label }: { text: string; label: string }) {
  return (
    <div className="secret">
      <code aria-label={label} role="group" tabIndex={0}>
        {text}
      </code>
      <Button small onPress={() => void copy(text)}>
        <Copy size={14} aria-hidden />
        {t.copy}
      </Button>
    </div>
  );
}

export function Good({ children }: { children: ReactNode }) {
  return (
    <p className="note good">
      <CircleCheck size={16} aria-hidden />
      <span>{children}</span>
    </p>
  );
}
