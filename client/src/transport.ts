// One call over the wire: what it carries, and when it is repeated.
import { errorOf, LoyaltyError, unreachable } from "./errors";
import type { Options } from "./options";
import type { Problem } from "./types";

export interface Call {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Answer<T> {
  data: T;
  headers: Headers;
}

export type Send = <T>(call: Call, signal: AbortSignal) => Promise<Answer<T>>;

const READS_TRIED = 3;
// Whoever is told to wait longer than this is told so, and decides.
const LONGEST_WAIT = 10;
const DEADLINE_MS = 30_000;
const PERSONAL = /^\/(me|session)\b/;

export const pause = (seconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });

/** Reads are repeated when that may help; writes never are. */
export function createTransport(base: string, { fetch: given }: Options): Send {
  async function once<T>({ method, path, body, headers }: Call, signal: AbortSignal): Promise<Answer<T>> {
    const writes = method !== "GET" && { "Content-Type": "application/json", "X-Loyalty-Csrf": "1" };
    let reply: Response, data: unknown;
    try {
      reply = await (given ?? fetch)(`${base}/api/v1${path}`, {
        method,
        credentials: PERSONAL.test(path) ? "include" : "omit",
        headers: { ...writes, ...headers },
        body: JSON.stringify(body),
        signal: AbortSignal.any?.([signal, AbortSignal.timeout(DEADLINE_MS)]) ?? signal,
      });
      data = await reply.json();
    } catch {
      signal.throwIfAborted();
      throw unreachable(reply!);
    }
    if (!reply.ok) throw errorOf(reply, data as Problem);
    return { data: data as T, headers: reply.headers };
  }

  return async (call, signal) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await once(call, signal);
      } catch (error) {
        const { retryable, retryAfter = 2 ** tries / 4 } = error as LoyaltyError;
        if (!retryable || call.method !== "GET" || tries === READS_TRIED || retryAfter > LONGEST_WAIT) throw error;
        await pause(retryAfter, signal);
      }
    }
  };
}
