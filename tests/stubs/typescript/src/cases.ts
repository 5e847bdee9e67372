/** What the runner sends, and what it gets back. */

import type { JsonValue } from "@bufbuild/protobuf";

export interface Target {
  address: string;
  ca: string | null;
}

export interface Case {
  name: string;
  target: string;
  id: string;
  token: string | null;
  timeout_ms: number | null;
  cancel_after_ms: number | null;
}

export interface Errand {
  targets: Record<string, Target>;
  cases: Case[];
}

export interface SeenError {
  code: string;
  message: string;
  reason: string | null;
  domain: string | null;
  retry_ms: number | null;
}

export type Outcome = { name: string } & ({ call: JsonValue } | { error: SeenError });
