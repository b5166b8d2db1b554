// JSON that keeps the digits of its numbers. A JavaScript number rounds
// 9007199254740993 and writes 1.50 as 1.5, so a number that would not be
// written as it was read stays what it is: raw JSON. The build puts this object
// in the place of JSON everywhere.
const native = globalThis.JSON;

// canKeepDigits is false in browsers that hide the source of a number.
export const canKeepDigits =
  typeof native.rawJSON === 'function' &&
  native.parse('1.0', (_key, _value, context) => context?.source) === '1.0';

function keepDigits(_key, value, context) {
  return typeof value === 'number' && String(value) !== context.source
    ? native.rawJSON(context.source)
    : value;
}

const exact = {
  parse: (text, reviver) =>
    native.parse(text, reviver ?? (canKeepDigits ? keepDigits : undefined)),
  stringify: native.stringify,
};

export { exact as JSON };
