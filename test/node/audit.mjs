// Audits a server against the GraphQL over HTTP specification:
//   node audit.mjs URL [TOKEN]
// Prints one line per audit that fails and the count; notices and warnings are
// failures too.
import { serverAudits } from 'graphql-http';

const [url, token] = process.argv.slice(2);
if (!url) {
  console.error('usage: node audit.mjs URL [TOKEN]');
  process.exit(2);
}

const authorization = token ? { authorization: `Bearer ${token}` } : {};
const audits = serverAudits({
  url,
  fetchFn: (address, init = {}) =>
    fetch(address, { ...init, headers: { ...init.headers, ...authorization } }),
});

let failed = 0;
for (const { fn } of audits) {
  const result = await fn();
  if (result.status === 'ok') continue;
  failed++;
  console.log(`${result.status} ${result.id} ${result.name}: ${result.reason}`);
}
console.log(`${audits.length - failed} of ${audits.length} audits passed`);
process.exitCode = failed || !audits.length ? 1 : 0;
