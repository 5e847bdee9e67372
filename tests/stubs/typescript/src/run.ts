import { type CallOptions, type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { LiveCalls } from "@livecalls/client";
import { ErrorInfoSchema, RetryInfoSchema } from "@livecalls/client/errors";
import type { Case, Errand, Outcome, SeenError, Target } from "./cases.js";
import { seenCall, seenError } from "./seen.js";

/** Runs the cases one after another, each over its target's transport. */
export async function* run(errand: Errand, transportTo: (target: Target) => Transport): AsyncGenerator<Outcome> {
  const clients = new Map<string, Client<typeof LiveCalls>>();
  for (const [name, target] of Object.entries(errand.targets)) {
    clients.set(name, createClient(LiveCalls, transportTo(target)));
  }
  for (const asked of errand.cases) {
    const client = clients.get(asked.target);
    if (!client) throw new Error(`${asked.name}: no target is called ${asked.target}`);
    yield await outcome(client, asked);
  }
}

async function outcome(client: Client<typeof LiveCalls>, { name, id, ...asked }: Case): Promise<Outcome> {
  try {
    return { name, call: seenCall(await client.getCall({ id }, options(asked))) };
  } catch (reason) {
    return { name, error: failure(ConnectError.from(reason)) };
  }
}

function options(asked: Omit<Case, "name" | "id">): CallOptions {
  return {
    ...(asked.token !== null && { headers: { authorization: `Bearer ${asked.token}` } }),
    ...(asked.timeout_ms !== null && { timeoutMs: asked.timeout_ms }),
    ...(asked.cancel_after_ms !== null && { signal: cancelledAfter(asked.cancel_after_ms) }),
  };
}

function cancelledAfter(ms: number): AbortSignal {
  const caller = new AbortController();
  setTimeout(() => caller.abort(), ms);
  return caller.signal;
}

function failure(error: ConnectError): SeenError {
  const code = error.code === Code.Canceled ? "CANCELLED" : Code[error.code];
  const [info] = error.findDetails(ErrorInfoSchema);
  const [retry] = error.findDetails(RetryInfoSchema);
  return seenError(code, error.rawMessage, info, retry);
}
