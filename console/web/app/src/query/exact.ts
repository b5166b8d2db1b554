// Answers are laid out as the text they are, never by way of JavaScript's numbers,
// which would round 9007199254740993 and write 1.50 as 1.5.
const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

// layOut indents JSON and leaves every value as it is written.
export function layOut(json: string): string {
  const out: string[] = [];
  let depth = 0;
  let last = '';
  const line = () => out.push('\n', '  '.repeat(depth));
  for (const [part] of json.matchAll(token)) {
    switch (part) {
      case '{':
      case '[':
        if (last === '{' || last === '[' || last === ',') line();
        out.push(part);
        depth++;
        break;
      case '}':
      case ']':
        depth--;
        if (last !== '{' && last !== '[') line();
        out.push(part);
        break;
      case ',':
        out.push(part);
        break;
      case ':':
        out.push(': ');
        break;
      default:
        if (last === '{' || last === '[' || last === ',') line();
        out.push(part);
    }
    last = part;
  }
  return out.join('');
}

// isObject tells whether a text is a JSON object. It is sent as it was written.
export function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
