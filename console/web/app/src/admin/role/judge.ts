// What is to be said of a role while it is written. Whether it is kept the server says, and
// what it says is put where it belongs.
import { t } from '../../texts';
import { allOperators, barred, isWhere, right, role, type Form } from './grammar';
import type { Column, Dataset } from './shown';
import { member, type Finding, type Node } from './read';
import { compares, typeOf } from './values';

// sure tells whether the writer names only what they see: to others it may be there.
export function judge(root: Node | undefined, known: Dataset[] | undefined, sure = true): Finding[] {
  const found: Finding[] = [];
  const parameters = new Map((known ?? []).flatMap((one) => one.parameters.map(({ name, type }) => [name, type])));
  const parameter = (name: string) => parameters.get(name) ?? (known && sure ? undefined : null);
  const say = ({ from, to }: { from: number; to: number }, message: string, fails = true) => found.push({ from, to, message, fails });

  // granted is the right around a node.
  function judged(node: Node, form: Form, dataset: Dataset | undefined, of: string, granted?: Node) {
    if (isWhere(form)) return where(node, dataset);
    switch (form.type) {
      case 'object':
        if (node.kind !== 'object') return say(node, t.roles.mustBe.object);
        for (const [at, { name, at: place, value }] of node.members.entries()) {
          if (node.members.findIndex((other) => other.name === name) !== at) say(place, t.roles.twice(name));
          const below = form.properties?.[name] ?? (typeof form.additionalProperties === 'object' ? form.additionalProperties : undefined);
          if (!below) {
            say(place, t.roles.noWord(name, Object.keys(form.properties ?? {})));
            continue;
          }
          const named = form === role.properties!.datasets ? known?.find((one) => one.name === name) : dataset;
          if (form === role.properties!.datasets && known && !named) say(place, t.roles.noDataset(name), sure);
          if (form.properties === right && barred(name, named?.bounds)) say(place, name === 'include_deleted' ? t.roles.keepsNone(named!.name) : t.roles.writtenNever(named!.name));
          if (value) judged(value, below, named, name, form.properties === right ? node : granted);
        }
        return;
      case 'array':
        if (node.kind !== 'list') return say(node, t.roles.mustBe.names);
        if (node.items.length === 0) say(node, t.roles.noColumns);
        for (const [at, item] of node.items.entries()) {
          if (item.kind !== 'text') say(item, t.roles.mustBe.name);
          else if (dataset && !dataset.columns.some(({ name }) => name === item.value)) say(item, t.roles.noColumn(dataset.name, String(item.value)), sure);
          else if (form !== right.columns) given(item, dataset, granted, form);
          else if (node.items.findIndex((other) => other.value === item.value) !== at) say(item, t.roles.twice(String(item.value)), false);
        }
        return;
      case 'boolean':
        if (node.kind !== 'truth') say(node, t.roles.mustBe.truth);
        return;
      case 'integer':
        if (node.kind !== 'number' || !/^[1-9]\d*$/.test(String(node.value)) || BigInt(String(node.value)) > (dataset?.bounds?.maxLimit ?? Infinity)) say(node, t.roles.mustBe.number(of, dataset?.bounds?.maxLimit));
    }
  }

  // given judges a column that an insert or an update names.
  function given(item: Node, dataset: Dataset | undefined, granted: Node | undefined, form: Form) {
    const shown = member(granted, 'columns');
    const restores = form === right.update!.properties!.columns && member(granted, 'include_deleted')?.value === true;
    if (shown?.kind === 'list' && !shown.items.some(({ value }) => value === item.value)) say(item, t.roles.notShown(String(item.value)));
    else if (dataset?.bounds && dataset.bounds.changes.length > 0 && !restores && !dataset.bounds.given.includes(String(item.value))) say(item, t.roles.neverGiven(String(item.value)));
  }

  function where(node: Node, dataset: Dataset | undefined) {
    if (node.kind !== 'object') return say(node, t.roles.mustBe.where);
    if (node.members.length === 0) say(node, t.roles.emptyWhere);
    for (const { name, at, value } of node.members) {
      if (name === 'and' || name === 'or') {
        if (!value) continue;
        if (value.kind !== 'list' || value.items.length === 0) say(value, t.roles.mustBe.wheres);
        for (const item of value.items) where(item, dataset);
      } else if (name === 'not') {
        if (value) where(value, dataset);
      } else if (dataset?.relations.some((relation) => relation.name === name)) say(at, t.roles.noRelations);
      else {
        const column = dataset?.columns.find((one) => one.name === name);
        if (dataset && !column) say(at, t.roles.noColumn(dataset.name, name), sure);
        if (value) compared(value, column);
      }
    }
  }

  function compared(node: Node, column: Column | undefined) {
    if (node.kind !== 'object' || node.members.length === 0) return say(node, t.roles.mustBe.comparison);
    const offered = column?.operators?.map(({ name }) => name) ?? allOperators;
    for (const { name, at, value } of node.members) {
      if (!offered.includes(name)) say(at, t.roles.noOperator(name, offered));
      else if (value?.kind === 'null') say(value, t.roles.nullCompares);
      else if (value && column?.operators) compares(name, value, typeOf(column), parameter, say);
    }
  }

  if (root) {
    judged(root, role, undefined, '');
    if (root.kind === 'object' && !member(root, 'datasets')?.members.length && !found.length) say({ from: root.from, to: root.from + 1 }, t.roles.grantsNothingYet, false);
  }
  return found;
}

// told are the server's lines, each at its place: roles.few.datasets.notes.columns.0: notes has no column x.
export function told(message: string, name: string, root: Node | undefined): { placed: Finding[]; rest: string[] } {
  const placed: Finding[] = [];
  const rest: string[] = [];
  const prefix = `roles.${name}.`;
  for (const line of message.split('\n')) {
    const end = line.indexOf(': ');
    if (!root || !line.startsWith(prefix) || end < 0) {
      rest.push(line.replace(`roles.${name}: `, ''));
      continue;
    }
    const { from, to } = follow(root, line.slice(prefix.length, end).split('.'));
    const words = line.slice(end + 2);
    placed.push({ from, to, message: words.charAt(0).toUpperCase() + words.slice(1), fails: true });
  }
  return { placed, rest };
}

// follow goes as far as the names lead; `not` has no place of its own there.
function follow(root: Node, path: string[]): { from: number; to: number } {
  let node = root;
  let span: { from: number; to: number } = { from: root.from, to: root.from + 1 };
  for (let at = 0; at < path.length; ) {
    if (node.kind === 'list') {
      const item = node.items[Number(path[at])];
      if (!item) break;
      [node, span] = [item, item];
      at++;
      continue;
    }
    const names = path.slice(at);
    const length = names.findLastIndex((_, last) => node.members.some(({ name }) => name === names.slice(0, last + 1).join('.'))) + 1;
    const next = node.members.find(({ name }) => name === (length > 0 ? names.slice(0, length).join('.') : 'not'));
    if (!next) break;
    span = next.value && next.value.kind !== 'object' && next.value.kind !== 'list' ? next.value : next.at;
    if (!next.value) break;
    node = next.value;
    at += length;
  }
  return span;
}
