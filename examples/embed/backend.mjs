// The backend of main.go in Node, without packages: it knows who is signed in,
// asks usher for a token for them, and hands that to their browser.
//
//   USHER_KEY=… node backend.mjs [port]
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const usher = process.env.USHER_SERVER || "http://127.0.0.1:8080";
const key = process.env.USHER_KEY;
if (!key) {
  console.error("put the service key into USHER_KEY; the README makes one");
  process.exit(2);
}
const file = (name) => readFileSync(new URL(name, import.meta.url), "utf8");

// What this application knows of its people. Whose data they see, and which
// part of it, is decided here and nowhere in the browser.
const people = new Map([
  ["ann", { tenant: "burrito-bros", regions: ["South", "West"] }],
  ["bob", { tenant: "luna-y-sol" }],
]);
const sessions = new Map(); // by the cookie's value: who

// A token for a quarter of an hour, for the tenant, for one dashboard and for
// the regions that this person may see.
async function mint(name, { tenant, regions }) {
  const input = {
    tenant,
    subject: name,
    dashboards: ["portal"],
    expiresAt: new Date(Date.now() + 15 * 60_000).toISOString(),
    filters: regions ? [{ dataset: "sales", where: { region: { in: regions } } }] : [],
  };
  const response = await fetch(`${usher}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${key}` },
    body: JSON.stringify({
      query: "mutation($input: NewToken!) { createToken(input: $input) { token expiresAt } }",
      variables: { input },
    }),
    signal: AbortSignal.timeout(10_000),
  });
  const { data, errors } = await response.json();
  if (!errors) return data.createToken;
  // Whoever may have no token any more is told so, and shown nothing: anything else passes.
  const refused = ["FORBIDDEN", "CONFLICT", "NOT_FOUND"].includes(errors[0].extensions?.code);
  throw Object.assign(new Error(errors[0].message), { status: refused ? 403 : 502 });
}

async function body(request) {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 1000) throw new Error("the body is too large");
  }
  return text;
}

const routes = {
  "GET /": async (request, response) => {
    // The page may run this server's scripts and usher's, and ask both: nothing else.
    const policy = `default-src 'none'; script-src 'self' ${usher}; connect-src 'self' ${usher}; style-src 'self'; img-src 'self' data:`;
    response
      .writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy })
      .end(file("page.html").replaceAll("{{usher}}", usher));
  },
  "GET /page.css": async (request, response) => {
    response.writeHead(200, { "Content-Type": "text/css; charset=utf-8" }).end(file("page.css"));
  },
  "GET /page.js": async (request, response) => {
    response.writeHead(200, { "Content-Type": "text/javascript; charset=utf-8" }).end(file("page.js"));
  },
  // Stands for however an application knows its users.
  "POST /signin": async (request, response) => {
    const name = new URLSearchParams(await body(request)).get("name");
    if (!people.has(name)) return response.writeHead(403).end("nobody of that name");
    const session = randomUUID();
    sessions.set(session, name);
    response.writeHead(204, { "Set-Cookie": `session=${session}; Path=/; HttpOnly; SameSite=Strict` }).end();
  },
  "POST /token": async (request, response) => {
    const session = /(?:^|; )session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
    const name = sessions.get(session);
    if (!name) return response.writeHead(401).end("sign in first");
    const issued = await mint(name, people.get(name));
    response
      .writeHead(200, { "Content-Type": "application/json", "Cache-Control": "no-store" })
      .end(JSON.stringify(issued));
  },
};

const server = createServer(async (request, response) => {
  const route = routes[`${request.method} ${request.url}`];
  if (!route) return response.writeHead(404).end();
  try {
    await route(request, response);
  } catch (error) {
    console.error("no answer:", error.message);
    const status = error.status ?? 502;
    response.writeHead(status).end(status === 403 ? "there is nothing for you any more" : "the data cannot be reached");
  }
});
server.listen(Number(process.argv[2] ?? 8090), "127.0.0.1", () => {
  console.error(`the backend listens: http://127.0.0.1:${server.address().port}`);
});
process.on("SIGINT", () => process.exit(0));
