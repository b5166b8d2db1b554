// Reads what a folder has for graphql-codegen and for Relay's compiler, and prints
// the scalars that each knows, and as what two of them arrive:
//   node scalars.mjs FOLDER
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node scalars.mjs FOLDER');
  process.exit(2);
}
const read = (file) => import(pathToFileURL(join(folder, file)).href);
const { default: codegen } = await read('codegen.js');
const { customScalarTypes } = await read('usher-relay.js');
const { scalars } = codegen.generates['src/gql/'].config;
console.log(Object.keys(scalars).join(), Object.keys(customScalarTypes).join(), scalars.BigInt.output, customScalarTypes.Decimal);
