// PostGraphile as a peer: two processes, each with half of the connections;
// the token is verified for each request, and its tenant is what row-level
// security compares.
import cluster from "node:cluster";
import { createServer } from "node:http";
import process from "node:process";
import jwt from "jsonwebtoken";
import pg from "pg";
import { postgraphile } from "postgraphile";
import { grafserv } from "postgraphile/grafserv/node";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";
import { jsonPgSmartTags } from "postgraphile/utils";

const workers = 2;
const { BENCH_LISTEN, BENCH_SECRET, BENCH_DSN, BENCH_MAX_CONNS } = process.env;
const [host, port] = BENCH_LISTEN.split(":");

if (cluster.isPrimary) {
  for (let i = 0; i < workers; i++) cluster.fork();
  cluster.on("exit", (_worker, code) => {
    if (code) process.exit(code);
  });
  process.on("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.kill();
  });
} else {
  await serve();
}

async function serve() {
  const dsn = new URL(BENCH_DSN);
  dsn.searchParams.delete("timezone"); // node-postgres has no such setting
  const pool = new pg.Pool({ connectionString: dsn.href, options: "-c timezone=UTC", max: Number(BENCH_MAX_CONNS) / workers });
  const tenantOf = (request) =>
    jwt.verify((request.headers.authorization ?? "").replace(/^Bearer /, ""), BENCH_SECRET, {
      algorithms: ["HS256"],
      issuer: "usher-bench",
      audience: "usher",
    }).tenant;
  const preset = {
    extends: [PostGraphileAmberPreset, PostGraphileConnectionFilterPreset],
    disablePlugins: ["PgIndexBehaviorsPlugin"], // the others filter by columns without an index as well
    plugins: [
      jsonPgSmartTags({
        version: 1,
        config: {
          class: {
            orders: { tags: { name: "order", foreignKey: "(product_id) references products (id)|@fieldName product" } },
            items: { tags: { name: "item", foreignKey: "(order_id) references orders (id)|@foreignFieldName items|@foreignSimpleFieldName itemsList" } },
            products: { tags: { name: "product" } },
          },
        },
      }),
    ],
    pgServices: [makePgService({ pool, schemas: ["public"] })],
    schema: { defaultBehavior: "-insert -update -delete +list", dontSwallowErrors: true },
    grafserv: { graphqlPath: "/graphql", graphiql: false, graphiqlOnGraphQLGET: false, watch: false },
    grafast: {
      explain: false,
      context: (ctx) => ({ pgSettings: { "jwt.claims.tenant": tenantOf(ctx.node.req) } }),
    },
  };
  const instance = postgraphile(preset);
  const answer = instance.createServ(grafserv).createHandler();
  const server = createServer((request, response) => {
    if (request.url === "/health/ready") response.end();
    else answer(request, response);
  });
  if (process.env.BENCH_PRINT_SCHEMA) {
    const { printSchema } = await import("postgraphile/graphql");
    console.log(printSchema((await instance.getSchemaResult()).schema));
  }
  server.listen(Number(port), host);
  process.on("SIGTERM", () => process.exit(0));
}
