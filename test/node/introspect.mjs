// Builds a client schema from a server's introspection and validates it, with
// every combination of options that clients use:
//   node introspect.mjs URL [TOKEN]
import { buildClientSchema, getIntrospectionQuery, printSchema, validateSchema } from 'graphql';

const [url, token] = process.argv.slice(2);
if (!url) {
  console.error('usage: node introspect.mjs URL [TOKEN]');
  process.exit(2);
}

const names = [
  'descriptions',
  'specifiedByUrl',
  'directiveIsRepeatable',
  'schemaDescription',
  'inputValueDeprecation',
  'oneOf',
];
const combinations = [
  {},
  Object.fromEntries(names.map((name) => [name, false])),
  Object.fromEntries(names.map((name) => [name, true])),
  ...names.map((name) => ({ [name]: true })),
];

async function introspect(options) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify({ query: getIntrospectionQuery(options) }),
  });
  const result = await response.json();
  if (result.errors) throw new Error(result.errors.map((error) => error.message).join('; '));
  const schema = buildClientSchema(result.data);
  const problems = validateSchema(schema);
  if (problems.length) throw new Error(problems.map((problem) => problem.message).join('; '));
  return schema;
}

let failed = 0;
let printed;
for (const options of combinations) {
  try {
    printed = printSchema(await introspect(options));
  } catch (error) {
    failed++;
    console.log(`${JSON.stringify(options)}: ${error.message}`);
  }
}
if (!failed) console.log(`${combinations.length} introspections are valid, ${printed.length} characters of schema`);
process.exitCode = failed ? 1 : 0;
