// Numbers with more digits than JavaScript keeps. What only passes through, such as the default of a parameter, is
// written again as it was read.
type Parse = (text: string, reviver: (key: string, value: unknown, context?: { source?: string }) => unknown) => unknown;

const most = 15; // digits of which a number keeps each
const raw = (JSON as { rawJSON?: (text: string) => unknown }).rawJSON;

// readDigits reads JSON, and gives what would be rounded to long, as it is written.
export const readDigits = (text: string, long: (source: string) => unknown = (source) => raw?.(source) ?? Number(source)): unknown =>
  (JSON.parse as Parse)(text, (_key, value, context) => (typeof value === 'number' && (context?.source ?? '').replace(/\D/g, '').length > most ? long(context!.source!) : value));
