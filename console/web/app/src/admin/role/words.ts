// Conditions in words, as far as they can be read.
import { t } from '../../texts';

type Fields = Record<string, unknown>;

const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

// inWords is empty where nothing is asked of rows.
export function inWords(where: unknown): string {
  return Object.entries(fields(where)).map(([name, value]) => part(name, value)).filter(Boolean).join(` ${t.roles.and} `);
}

function part(name: string, value: unknown): string {
  if (name === 'not') return inWords(value) && t.roles.not(inWords(value));
  if (name === 'and' || name === 'or') {
    const parts = list(value).map(inWords).filter(Boolean);
    return parts.length > 1 ? `(${parts.join(` ${name === 'and' ? t.roles.and : t.roles.or} `)})` : (parts[0] ?? '');
  }
  return Object.entries(fields(value)).map(([operator, operand]) => compared(name, operator, operand)).join(` ${t.roles.and} `);
}

function compared(column: string, operator: string, operand: unknown): string {
  if (operator === 'isNull') return `${column} ${operand === false ? t.roles.isSome : t.roles.isNone}`;
  const said = Array.isArray(operand) ? operand.map(shown).join(', ') : shown(operand);
  return `${column} ${t.roles.compares[operator] ?? operator} ${said}`;
}

const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
