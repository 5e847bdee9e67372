import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

const MAX_ATTEMPTS = 4;
const INITIAL_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 500;

/** Retries if the service is UNAVAILABLE, as long as the call's deadline and its caller allow it. */
export const retry: Interceptor = (next) => async (request) => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await next(request);
    } catch (reason) {
      const unavailable = ConnectError.from(reason).code === Code.Unavailable;
      if (!unavailable || request.stream || attempt === MAX_ATTEMPTS) throw reason;
      await pause(backoff(attempt), request.signal);
    }
  }
};

/** Milliseconds before the next attempt, up to a fifth more or less, so callers do not all retry at once. */
function backoff(attempt: number): number {
  const planned = Math.min(INITIAL_BACKOFF_MS * 2 ** (attempt - 1), MAX_BACKOFF_MS);
  return planned * (0.8 + 0.4 * Math.random());
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
