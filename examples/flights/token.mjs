// Prints a token of this example for a tenant, good for one hour:
//
//   node token.mjs lax
//   node token.mjs --all       all tenants, as an operator would see them
//
// In production an identity provider or your backend signs tokens; this script
// stands in for it.
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

const who = process.argv[2];
if (!who) {
  console.error("usage: node token.mjs <tenant>|--all");
  process.exit(2);
}

const secret = readFileSync(new URL("data/secret", import.meta.url), "utf8").trim();
const now = Math.floor(Date.now() / 1000);
const grant = who === "--all" ? { all_tenants: true } : { tenant: who };
const claims = { iss: "flights", aud: "usher", sub: `example|${who}`, iat: now, exp: now + 3600, ...grant };

const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
console.log(`${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`);
