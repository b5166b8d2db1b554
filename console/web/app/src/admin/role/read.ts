// Reads JSON as it is being typed: what stands before a mistake is read, the mistake is
// told with its place, and every value knows where it stands.
import { t } from '../../texts';

export interface Span {
  from: number;
  to: number;
}

export interface Member {
  name: string;
  at: Span; // of its name
  value?: Node;
}

export interface Node extends Span {
  kind: 'object' | 'list' | 'text' | 'number' | 'truth' | 'null';
  value?: string | boolean; // of a text or a truth; a number has its digits
  members: Member[];
  items: Node[];
}

export interface Finding extends Span {
  message: string;
  fails: boolean; // it cannot be saved so
}

const token = /\s*(?:("(?:[^"\\\n]|\\.)*"?)|([{}[\],:])|([^\s{}[\],:"]+)|$)/y;
const isNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

interface Token extends Span {
  text: string;
  kind: 'text' | 'sign' | 'word' | 'end';
}

class Stop extends Error {}

export function read(text: string): { root?: Node; wrong?: Finding } {
  let at = 0;
  let wrong: Finding | undefined;
  let root: Node | undefined;

  function peek(): Token {
    token.lastIndex = at;
    const [whole = '', quoted, sign, word] = token.exec(text) ?? [];
    const part = quoted ?? sign ?? word ?? '';
    const from = at + whole.length - part.length;
    return { text: part, from, to: from + part.length, kind: quoted !== undefined ? 'text' : sign !== undefined ? 'sign' : word !== undefined ? 'word' : 'end' };
  }
  function next(): Token {
    const found = peek();
    at = found.to;
    return found;
  }
  function stop({ from, to }: Span, message: string): never {
    wrong = { from: Math.min(from, Math.max(0, text.length - 1)), to: Math.max(to, from + 1), message, fails: true };
    throw new Stop();
  }
  function quoted(found: Token): string {
    try {
      return JSON.parse(found.text) as string;
    } catch {
      return stop(found, t.roles.json.unclosed);
    }
  }
  // What is not complete is kept: keep is called before its parts are read.
  function value(keep: (node: Node) => void) {
    const found = next();
    const node: Node = { kind: 'null', from: found.from, to: found.to, members: [], items: [] };
    const made = (kind: Node['kind'], is?: string | boolean) => keep(Object.assign(node, { kind, value: is }));
    if (found.kind === 'end') stop(found, t.roles.json.ends);
    else if (found.kind === 'text') made('text', quoted(found));
    else if (found.text === 'true' || found.text === 'false') made('truth', found.text === 'true');
    else if (found.text === 'null') made('null');
    else if (found.kind === 'word' && isNumber.test(found.text)) made('number', found.text);
    else if (found.kind === 'word') stop(found, t.roles.json.word(found.text));
    else if (found.text === '{') {
      made('object');
      parts(node, '}', () => {
        const name = next();
        if (name.kind !== 'text') stop(name, t.roles.json.name);
        const member: Member = { name: quoted(name), at: { from: name.from, to: name.to } };
        node.members.push(member);
        const colon = next();
        if (colon.text !== ':') stop(colon.kind === 'end' ? name : colon, t.roles.json.colon(member.name));
        value((of) => (member.value = of));
      });
    } else if (found.text === '[') {
      made('list');
      parts(node, ']', () => value((of) => node.items.push(of)));
    } else stop(found, t.roles.json.value);
  }
  function parts(node: Node, end: string, part: () => void) {
    node.to = text.length;
    for (let first = true; ; first = false) {
      const found = peek();
      if (found.text === end && found.kind === 'sign') {
        if (!first && text.slice(0, found.from).trimEnd().endsWith(',')) stop(found, t.roles.json.comma);
        node.to = next().to;
        return;
      }
      if (found.kind === 'end') stop(found, t.roles.json.closing(end));
      if (!first && !text.slice(0, found.from).trimEnd().endsWith(',')) stop(found, t.roles.json.missing);
      part();
      if (peek().text === ',' && peek().kind === 'sign') next();
    }
  }
  try {
    value((node) => (root = node));
    const rest = peek();
    if (rest.kind !== 'end') stop(rest, t.roles.json.rest);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
  }
  return { root, wrong };
}

// plain is the value that a node stands for; a number that would lose digits is their text.
export function plain(node: Node | undefined): unknown {
  switch (node?.kind) {
    case 'object':
      return Object.fromEntries(node.members.map(({ name, value }) => [name, plain(value)]));
    case 'list':
      return node.items.map(plain);
    case 'number':
      return String(Number(node.value)) === node.value ? Number(node.value) : node.value;
    default:
      return node?.value ?? null;
  }
}

// laidOut is the text of a node, with its digits: what a right says in a line each, as far as lines go.
export function laidOut(node: Node, text: string, depth = 0): string {
  const line = (of: Node): string => {
    if (of.kind === 'object') return `{${of.members.map(({ name, value }) => `${JSON.stringify(name)}: ${value ? line(value) : ''}`).join(', ')}}`;
    return of.kind === 'list' ? `[${of.items.map(line).join(', ')}]` : text.slice(of.from, of.to);
  };
  const whole = line(node);
  const parts = node.kind === 'object' ? node.members.map(({ name, value }) => `${JSON.stringify(name)}: ${value ? laidOut(value, text, depth + 1) : ''}`) : node.items.map((item) => laidOut(item, text, depth + 1));
  if (parts.length === 0 || (depth > 2 && whole.length < 80)) return whole;
  const [indent, end] = ['  '.repeat(depth + 1), '  '.repeat(depth)];
  const [open, close] = node.kind === 'object' ? '{}' : '[]';
  return `${open}\n${parts.map((part) => indent + part).join(',\n')}\n${end}${close}`;
}

export const member = (node: Node | undefined, name: string) => node?.members.find((one) => one.name === name)?.value;

// Where is a place in a text: the names that lead there, and whether a name or a value is due.
export interface Where {
  path: string[];
  due: 'name' | 'value' | 'nothing';
  has: string[]; // the names or texts that stand beside it already
}

// whereIs follows a text up to a place, whatever comes after.
export function whereIs(text: string, place: number): Where {
  interface Frame { list: boolean; name: string; due: Where['due']; n: number; has: string[] }
  const stack: Frame[] = [];
  const top = () => stack[stack.length - 1];
  const lexer = /"(?:[^"\\\n]|\\.)*"?|[{}[\],:]|[^\s{}[\],:"]+/g;
  for (const { 0: part, index } of text.matchAll(lexer)) {
    if (index >= place) break;
    const frame = top();
    if (part === '{' || part === '[') stack.push({ list: part === '[', name: '', due: part === '[' ? 'value' : 'name', n: 0, has: [] });
    else if (part === '}' || part === ']') {
      stack.pop();
      if (top()) top()!.due = 'nothing';
    } else if (!frame) continue;
    else if (part === ',') {
      frame.due = frame.list ? 'value' : 'name';
      frame.n++;
    } else if (part === ':') frame.due = 'value';
    else {
      const said = part.replaceAll('"', '');
      if (frame.due === 'name') frame.name = said;
      if (frame.due === 'name' || frame.list) frame.has.push(said);
      frame.due = 'nothing';
    }
  }
  const frame = top();
  const path = stack.flatMap((one) => (one.list ? [String(one.n)] : one === frame && one.due === 'name' ? [] : [one.name]));
  return { path, due: frame?.due ?? 'nothing', has: frame?.has ?? [] };
}
