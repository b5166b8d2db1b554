// One part of the question under its heading, with the button that adds to it.
import { useId, type ReactNode } from 'react';

export function Part({ title, add, children }: { title: string; add?: ReactNode; children?: ReactNode }) {
  const id = useId();
  return (
    <section className="bit" aria-labelledby={id}>
      <div className="bit-head">
        <h2 id={id}>{title}</h2>
        {add}
      </div>
      {children}
    </section>
  );
}
