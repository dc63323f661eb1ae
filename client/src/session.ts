// Who is asking: begins a session, renews one that has ended, once for all who need it, and ends it.
import type { LoyaltyError } from "./errors";
import type { Options } from "./options";
import type { Answer, Call, Send } from "./transport";
import type { SessionState, Token } from "./types";

export interface Sessions {
  /** As whoever is signed in; when their session has ended, once more with a new one. */
  send<T>(call: Call, signal: AbortSignal): Promise<Answer<T>>;
  /** Whether there is a new session now. */
  renew(): Promise<boolean>;
  begin(token: Token, signal: AbortSignal): Promise<SessionState>;
  end(signal: AbortSignal): Promise<{ continueAt?: string }>;
}

const ENDED = ["session_expired", "session_required"];

export function createSessions(send: Send, { getToken }: Options, begun: (session: SessionState) => void): Sessions {
  let renewing: Promise<boolean> | undefined;
  let renewals = 0;
  let signedOut = false;

  function renew(): Promise<boolean> {
    renewing ??= (async () => {
      const token = !signedOut && (await getToken?.());
      if (token) await begin(token, new AbortController().signal);
      return !!token;
    })().catch(() => false).finally(() => { renewing = undefined; });
    return renewing;
  }

  async function begin(token: Token, signal: AbortSignal): Promise<SessionState> {
    const body = typeof token === "string" ? { customerAccessToken: token } : token;
    const { data } = await send<SessionState>({ method: "POST", path: "/session", body }, signal);
    renewals += 1;
    signedOut = false;
    begun(data);
    return data;
  }

  return {
    async send(call, signal) {
      const before = renewals;
      try {
        return await send(call, signal);
      } catch (error) {
        if (!ENDED.includes((error as LoyaltyError).code)) throw error;
        if (before === renewals && !(await renew())) throw error;
        signal.throwIfAborted();
        return send(call, signal);
      }
    },
    renew,
    begin,
    async end(signal) {
      signedOut = true;
      const { headers } = await send({ method: "DELETE", path: "/session" }, signal);
      return { continueAt: headers.get("location") ?? undefined };
    },
  };
}
