import { type CallOptions, type Client, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { LiveCalls } from "@livecalls/client";
import type { Case, Errand, Outcome, Target } from "./cases.js";
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
    return { name, error: seenError(ConnectError.from(reason)) };
  }
}

function options(asked: Omit<Case, "name" | "id">): CallOptions {
  return {
    ...(asked.token !== null && { headers: { authorization: `Bearer ${asked.token}` } }),
    ...(asked.timeout_ms !== null && { timeoutMs: asked.timeout_ms }),
    ...(asked.cancel_after_ms !== null && { signal: AbortSignal.timeout(asked.cancel_after_ms) }),
  };
}
