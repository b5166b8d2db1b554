// What the pages of this folder share: what they found wrong, and what the server
// holds (see docs/clients_test.go).
export const problems = [];

// same notes a problem where two values differ as JSON.
export function same(what, got, want) {
  const [g, w] = [JSON.stringify(got), JSON.stringify(want)];
  if (g !== w) problems.push(`${what}:\n  got  ${g}\n  want ${w}`);
}

// The orders of the tenant: ids beyond what a double holds, one order a month.
const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
export const ids = numbers.map((n) => String(9007199254740992n + BigInt(n)));
export const months = numbers.map((n) => `2026-${String(n + 1).padStart(2, '0')}-01`);
export const byMonth = months.map((month) => ({ month, count: '1' }));
export const byOrder = numbers.map((n) => ({ id_: ids[n - 1], region: n % 3 ? 'US' : 'EU', count: '1' }));
export const byRegion = [
  { region: 'EU', count: '3' },
  { region: 'US', count: '7' },
];
export const byBoth = numbers.map((n) => ({ id: ids[n - 1], region: n % 3 ? 'US' : 'EU', total: (10 * n + 0.5).toFixed(2) }));
