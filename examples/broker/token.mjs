// Prints a token of this example for a client, good for one hour:
//
//   node token.mjs north
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

const tenant = process.argv[2];
if (!tenant) {
  console.error("usage: node token.mjs <client>");
  process.exit(2);
}

const secret = readFileSync(new URL("data/token-secret", import.meta.url), "utf8").trim();
const now = Math.floor(Date.now() / 1000);
const claims = { iss: "broker-example", aud: "usher", sub: `example|${tenant}`, iat: now, exp: now + 3600, tenant };
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
console.log(`${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`);
