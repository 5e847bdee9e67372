/** Lets a page run the cases by gRPC-Web. */

import type { Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import type { Errand, Outcome, Target } from "./cases.js";
import { retry } from "./retry.js";
import { run } from "./run.js";

declare global {
  interface Window {
    runCases: (errand: Errand) => Promise<Outcome[]>;
  }
}

/** The browser knows its CAs itself: a CA only means that TLS is spoken. */
function transportTo({ address, ca }: Target): Transport {
  return createGrpcWebTransport({
    baseUrl: `${ca ? "https" : "http"}://${address}`,
    interceptors: [retry],
  });
}

window.runCases = async (errand) => {
  const outcomes: Outcome[] = [];
  for await (const outcome of run(errand, transportTo)) outcomes.push(outcome);
  return outcomes;
};
