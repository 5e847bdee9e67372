/** Runs the cases on standard input by gRPC, and writes an outcome a line. */

import { readFileSync } from "node:fs";
import { json } from "node:stream/consumers";
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Errand, Target } from "./cases.js";
import { retry } from "./retry.js";
import { run } from "./run.js";

function transportTo({ address, ca }: Target): Transport {
  return createGrpcTransport({
    baseUrl: `${ca ? "https" : "http"}://${address}`,
    interceptors: [retry],
    ...(ca && { nodeOptions: { ca: readFileSync(ca) } }),
  });
}

const errand = (await json(process.stdin)) as Errand;
for await (const outcome of run(errand, transportTo)) {
  console.log(JSON.stringify(outcome));
}
process.exit(0);
