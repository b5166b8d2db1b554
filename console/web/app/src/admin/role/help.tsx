// How a role is written, with examples of what there is.
import { Button } from '../../ui/controls';
import { t } from '../../texts';
import { barred, right } from './grammar';
import type { Column, Dataset } from './shown';
import { member, read, type Node } from './read';

export function Help({ text, known, onUse }: { text: string; known: Dataset[] | undefined; onUse: (text: string) => void }) {
  const { root, wrong } = read(text);
  const named = member(root, 'datasets')?.members.map(({ name }) => name) ?? [];
  const dataset = known?.find(({ name }) => named.includes(name)) ?? known?.find((one) => one.columns.some(labelled)) ?? known?.[0] ?? { name: named[0] ?? 'orders', columns: [], label: null, relations: [], parameters: [] };
  return (
    <div className="role-help">
      {t.roles.helpWords.map((words) => (
        <p key={words} className="small">
          {words.split('`').map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part))}
        </p>
      ))}
      <details>
        <summary>{t.roles.words}</summary>
        <dl>
          {Object.entries(right).map(([word, { description }]) => (
            <div key={word}>
              <dt>
                <code>{word}</code>
                {barred(word, dataset.bounds) && <span className="muted small"> {t.roles.notFor(dataset.name)}</span>}
              </dt>
              <dd>{description}</dd>
            </div>
          ))}
        </dl>
      </details>
      <h3>{t.roles.examples}</h3>
      {Object.entries(examples(dataset)).map(([name, example]) => (
        <details key={name} className="role-example">
          <summary>{t.roles.example[name]}</summary>
          <pre tabIndex={0} aria-label={t.roles.example[name]}>{`"${dataset.name}": ${written(example, '')}`}</pre>
          <Button small isDisabled={wrong !== undefined && text.trim() !== ''} aria-label={t.roles.useFor(t.roles.example[name]!, dataset.name)} onPress={() => onUse(withRight(text, root, dataset.name, example))}>
            {t.roles.use(dataset.name)}
          </Button>
        </details>
      ))}
    </div>
  );
}

// A column whose values are known makes the best example.
const labels = (column: Column | undefined) => column?.operators?.find(({ name }) => name === 'in')?.labels;
const labelled = (column: Column) => (labels(column)?.length ?? 0) > 0;

// examples are of what the dataset has; where nobody knows what it has, of names as there may be some.
function examples({ columns, bounds }: Dataset): Record<string, Record<string, unknown>> {
  const names = columns.map(({ name }) => name);
  const texts = columns.filter(({ type, operators }) => type === 'String' && operators?.some(({ name }) => name === 'eq') !== false);
  const some = columns.find(labelled) ?? texts.find(({ name }) => !/id$/i.test(name)) ?? texts[0];
  const who = texts.find(({ name }) => /owner|user|subject|created_?by|email|customer/i.test(name)) ?? texts[0];
  const guessed = names.length === 0;
  const writes = ['insert', 'update'].filter((word) => !barred(word, bounds));
  return {
    columns: { columns: guessed ? ['id', 'name'] : names.slice(0, 3) },
    ...((some || guessed) && { rows: { filter: { [some?.name ?? 'region']: { in: labels(some)?.slice(0, 2) ?? ['EU', 'US'] } } } }),
    ...((who || guessed) && { own: { filter: { [who?.name ?? 'owner']: { eq: '$subject' } } } }),
    groups: { aggregate: true, limit: Math.min(100, bounds?.maxLimit ?? 100) },
    ...(writes.length > 0 && { writes: Object.fromEntries(writes.map((word) => [word, {}])) }),
  };
}

// written has one word a line, and what stands in it behind.
function written(value: Record<string, unknown>, indent: string): string {
  const lines = Object.entries(value).map(([name, of]) => `${indent}  ${JSON.stringify(name)}: ${JSON.stringify(of).replaceAll(/([:,])(?=\S)/g, '$1 ')}`);
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

// withRight is the text with another right on a dataset; all else stays as it is written.
function withRight(text: string, root: Node | undefined, dataset: string, example: Record<string, unknown>): string {
  const datasets = member(root, 'datasets');
  const right = written(example, '    ');
  if (datasets?.kind !== 'object') return `{\n  "datasets": {\n    "${dataset}": ${right}\n  }\n}`;
  const there = member(datasets, dataset);
  if (there) return text.slice(0, there.from) + right + text.slice(there.to);
  const last = datasets.members.at(-1)?.value;
  if (last) return `${text.slice(0, last.to)},\n    "${dataset}": ${right}${text.slice(last.to)}`;
  return `${text.slice(0, datasets.from)}{\n    "${dataset}": ${right}\n  }${text.slice(datasets.to)}`;
}
