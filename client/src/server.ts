// The same client on a server: for a customer whose handle it keeps, or with the cookie of the shopper's own request.
import { createLoyalty as create, LoyaltyError, type Loyalty, type Options, type Problem } from "@loyalty/client";

type Maybe<T> = T | null | undefined;
type Soon<T> = T | Promise<T>;

/** For a server that renders for one customer, with a session handle. It is a secret, as the token is: neither belongs
 * into a page. */
export interface Server {
  /** `SESSION_TICKETS_TOKEN`. */
  token: string;
  /** The handle that you keep for this customer, if you have one. */
  load?(): Soon<Maybe<string>>;
  /** Keep this handle for this customer; null when it is over. */
  save?(handle: string | null): Soon<void>;
}

/** For a server on the very host of the service (`BASE_PATH`), which gets the shopper's cookie. What it sends on counts as
 * the shopper's will: let no other site's page make it write. */
export interface Cookies {
  /** The `Cookie` header of the shopper's request; only the session's own cookie is sent on. */
  get(): Soon<Maybe<string>>;
  /** Put this `Set-Cookie` line into your answer to the shopper. */
  set(line: string): void;
}

export type ServerOptions = Options & ({ server: Server; cookies?: never } | { cookies: Cookies; server?: never });

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const SESSION_COOKIE = /^__Host-Http-loyalty(-partitioned)?=/;

function withCookies({ get, set }: Cookies, send: Fetch): Fetch {
  return async (url, init) => {
    const headers = new Headers(init.headers);
    const mine = ((await get()) ?? "").split(/;\s*/).filter((pair) => SESSION_COOKIE.test(pair));
    if (mine.length) headers.set("Cookie", mine.join("; "));
    if (init.method !== "GET") headers.set("Origin", new URL(url).origin);
    const reply = await send(url, { ...init, headers });
    for (const line of reply.headers.getSetCookie()) set(line);
    return reply;
  };
}

/** What the service would say to whom it does not know. It is not asked: without a handle it takes us for a browser. */
function nobody(url: string, method?: string): Response {
  if (url.endsWith("/api/v1/session")) return Response.json(method === "GET" ? { state: "anonymous" } : {});
  return Response.json({ code: "session_required", detail: "Nobody is signed in.", retryable: false }, { status: 401 });
}

function withHandle({ token, load, save }: Server, send: Fetch): Fetch {
  let handle: Maybe<string>;
  async function keep(value: string | null): Promise<void> {
    handle = value;
    await save?.(value);
  }
  return async (url, init) => {
    const headers = new Headers(init.headers);
    headers.delete("X-Loyalty-Csrf");
    headers.set("Authorization", `Bearer ${token}`);
    if (init.method === "POST" && url.endsWith("/api/v1/session")) {
      const begun = await send(`${url}-handles`, { ...init, headers });
      if (!begun.ok) return begun;
      // The handle stays here: what is handed on may end in a page.
      const { handle: fresh, ...session } = (await begun.json()) as { handle: string };
      await keep(fresh);
      return new Response(JSON.stringify(session), { status: begun.status });
    }
    handle ??= await load?.();
    if (!handle) return nobody(url, init.method);
    headers.set("X-Loyalty-Session", handle);
    const reply = await send(url, { ...init, headers });
    if (init.method === "DELETE" && reply.ok) await keep(null);
    return reply;
  };
}

/** Make one for each request of a shopper. Redeeming takes the intent's own `key`, which stands in the form. */
export function createLoyalty({ server, cookies, ...options }: ServerOptions): Loyalty {
  const plain: Fetch = options.fetch ?? ((url, init) => fetch(url, init));
  const personal = server ? withHandle(server, plain) : withCookies(cookies!, plain);
  const send: Fetch = (url, init) => (init.credentials === "include" ? personal : plain)(url, init);
  return create({ ...options, fetch: send as typeof fetch });
}

/** A ticket for the page of the customer who holds this token: once, within a minute. With the `origin` of your storefront
 * a script of that page alone can use it; without one, an address (`/session/continue`) as well. Rejects with a
 * `LoyaltyError`. */
export async function createTicket(given: {
  baseUrl: string;
  /** `SESSION_TICKETS_TOKEN`. */
  token: string;
  customerAccessToken: string;
  origin?: string | undefined;
  fetch?: typeof fetch;
}): Promise<string> {
  const { baseUrl, token, customerAccessToken, origin, fetch: send = fetch } = given;
  const reply = await send(`${baseUrl.replace(/\/+$/, "")}/api/v1/session-tickets`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ customerAccessToken, origin }),
    signal: AbortSignal.timeout(30_000),
  }).catch(() => undefined);
  const answer = (await reply?.json().catch(() => undefined)) as ({ ticket?: string } & Partial<Problem>) | undefined;
  if (answer?.ticket) return answer.ticket;
  const { code = "unreachable", retryable = true } = answer ?? {};
  throw new LoyaltyError(code, reply?.status ?? 0, retryable, undefined, answer?.code && (answer as Problem));
}

export * from "@loyalty/client";
