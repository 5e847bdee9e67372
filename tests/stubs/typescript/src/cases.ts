/** What the runner sends, and what it gets back. */

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

export interface SeenLive {
  is_live: boolean;
  current_session_id: string | null;
  ended_at: string | null;
}

export interface SeenCall {
  id: string;
  host_user_id: string;
  title: string;
  scheduled_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  stream_call_id: string | null;
  stream_call_type: string;
  recording_url: string | null;
  recording_ready_at: string | null;
  status: string | number;
  created_at: string | null;
  updated_at: string | null;
  live: SeenLive | null;
}

export interface SeenError {
  code: string;
  message: string;
  reason: string | null;
  domain: string | null;
  retry_ms: number | null;
}

export type Outcome = { name: string } & ({ call: SeenCall } | { error: SeenError });
