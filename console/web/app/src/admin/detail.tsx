// The page of one of a list: what is known of it, and what can be changed.
import { Link, type LinkProps } from '@tanstack/react-router';
import { ArrowLeft, Lock, Pencil, SearchX } from 'lucide-react';
import type { ReactNode } from 'react';
import { t } from '../texts';
import { Button } from '../ui/controls';
import { Page } from '../ui/page';
import { Empty, Loaded } from '../ui/state';

interface Detail<T> {
  title: string;
  under?: ReactNode;
  back: { to: LinkProps; name: string };
  of: { data: T | null | undefined; error: unknown; refetch: () => unknown };
  actions?: ReactNode;
  gone: string;
  children: (found: T) => ReactNode;
}

export function Detail<T>({ title, under, back, of, actions, gone, children }: Detail<T>) {
  return (
    <Page
      title={title}
      lead={
        <>
          <Link {...back.to} className="link back-link">
            <ArrowLeft size={14} aria-hidden />
            {back.name}
          </Link>
          {under && <span className="break"> {under}</span>}
        </>
      }
      actions={actions}
    >
      <Loaded of={of as { data: T | undefined; error: unknown; refetch: () => unknown }}>
        {(found) =>
          found ? (
            children(found)
          ) : (
            <div className="card">
              <Empty
                icon={SearchX}
                title={t.list.gone}
                action={
                  <Link {...back.to} className="button">
                    {back.name}
                  </Link>
                }
              >
                {gone}
              </Empty>
            </div>
          )
        }
      </Loaded>
    </Page>
  );
}

// Card is a part of the page.
export function Card({ title, lead, actions, children }: { title: string; lead?: ReactNode; actions?: ReactNode; children?: ReactNode }) {
  return (
    <section className="card" aria-label={title}>
      <header>
        <div>
          <h2>{title}</h2>
          {lead && <p>{lead}</p>}
        </div>
        {actions}
      </header>
      {children && <div className="body">{children}</div>}
    </section>
  );
}

export interface Fact {
  name: string;
  value: ReactNode;
  edit?: (() => void) | false; // false: others may, the viewer may not
}

// Facts are names and values, with a button beside each that can be changed.
export function Facts({ of }: { of: (Fact | false | undefined)[] }) {
  return (
    <dl className="facts-table">
      {of.map(
        (fact) =>
          fact && (
            <div key={fact.name}>
              <dt>{fact.name}</dt>
              <dd>
                <div>{fact.value}</div>
                {fact.edit && (
                  <Button small look="quiet" aria-label={`${t.edit}: ${fact.name}`} onPress={fact.edit}>
                    <Pencil size={14} aria-hidden />
                    {t.edit}
                  </Button>
                )}
              </dd>
            </div>
          ),
      )}
    </dl>
  );
}

// Fixed says why nobody changes something here.
export function Fixed({ children }: { children: ReactNode }) {
  return (
    <p className="note">
      <Lock size={16} aria-hidden />
      <span>{children}</span>
    </p>
  );
}
