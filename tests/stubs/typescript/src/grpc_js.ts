/** Runs the cases as node.ts does, but with stock grpc-js, which takes a service config. */

import { readFileSync } from "node:fs";
import { json } from "node:stream/consumers";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyUnpack, type Any } from "@bufbuild/protobuf/wkt";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { type Call, CallSchema, GetCallRequestSchema, LiveCalls } from "@livecalls/client";
import { ErrorInfoSchema, RetryInfoSchema } from "@livecalls/client/errors";
import { StatusSchema } from "@livecalls/client/status";
import type { Case, Errand, Outcome, SeenError, Target } from "./cases.js";
import { seenCall, seenError } from "./seen.js";

const GET_CALL = `/${LiveCalls.typeName}/${LiveCalls.method.getCall.name}`;

const SERVICE_CONFIG = {
  methodConfig: [{
    name: [{ service: LiveCalls.typeName }],
    retryPolicy: {
      maxAttempts: 4,
      initialBackoff: "0.05s",
      maxBackoff: "0.5s",
      backoffMultiplier: 2,
      retryableStatusCodes: ["UNAVAILABLE"],
    },
  }],
};

function clientOf({ address, ca }: Target): Client {
  const security = ca ? credentials.createSsl(readFileSync(ca)) : credentials.createInsecure();
  return new Client(address, security, { "grpc.service_config": JSON.stringify(SERVICE_CONFIG) });
}

function getCall(client: Client, asked: Case): Promise<Call> {
  const metadata = new Metadata();
  if (asked.token !== null) metadata.set("authorization", `Bearer ${asked.token}`);
  const deadline = asked.timeout_ms === null ? Infinity : Date.now() + asked.timeout_ms;
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      GET_CALL,
      (request) => Buffer.from(toBinary(GetCallRequestSchema, request)),
      (message) => fromBinary(CallSchema, message),
      create(GetCallRequestSchema, { id: asked.id }),
      metadata,
      { deadline },
      (error, answer) => answer ? resolve(answer) : reject(error),
    );
    if (asked.cancel_after_ms !== null) setTimeout(() => call.cancel(), asked.cancel_after_ms);
  });
}

async function outcome(client: Client, asked: Case): Promise<Outcome> {
  try {
    return { name: asked.name, call: seenCall(await getCall(client, asked)) };
  } catch (error) {
    return { name: asked.name, error: failure(error as ServiceError) };
  }
}

function failure({ code, details: message, metadata }: ServiceError): SeenError {
  const [packed] = metadata.get("grpc-status-details-bin");
  const details = packed instanceof Buffer ? fromBinary(StatusSchema, packed).details : [];
  return seenError(status[code], message, find(details, ErrorInfoSchema), find(details, RetryInfoSchema));
}

function find<Desc extends DescMessage>(details: Any[], schema: Desc): MessageShape<Desc> | undefined {
  return details.map((detail) => anyUnpack(detail, schema)).find((detail) => detail !== undefined);
}

const { targets, cases } = (await json(process.stdin)) as Errand;
const clients = Object.fromEntries(Object.entries(targets).map(([name, target]) => [name, clientOf(target)]));
for (const asked of cases) {
  const client = clients[asked.target];
  if (!client) throw new Error(`${asked.name}: no target is called ${asked.target}`);
  console.log(JSON.stringify(await outcome(client, asked)));
}
process.exit(0);
