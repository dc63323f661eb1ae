import type { Code, LoyaltyError } from "./errors";
import { createFlights } from "./flights";
import { createIntents } from "./intents";
import type { Options } from "./options";
import { createSessions } from "./session";
import { createTransport, pause, type Call } from "./transport";
import type {
  Activity, CartResult, Completion, EventName, Events, Include, LegalPolicies, Member, MemberAndParts, Program, Redemption,
  Referrals, Retailers, Rewards, SessionState, Token, Wallet,
} from "./types";

/** Every method takes a signal: whoever aborts it stops waiting. What was sent may be carried out all the same. */
export interface Waiting {
  signal?: AbortSignal;
}

/** Every method that asks the service rejects with a `LoyaltyError`, or with the reason of its signal. */
export interface Loyalty {
  /** Who is looking. Cheap; a page may begin with it. */
  session(waiting?: Waiting): Promise<SessionState>;
  /** Begins a session with a ticket of your server's, or with the customer's token. */
  signIn(token: Token, waiting?: Waiting): Promise<SessionState>;
  /** The address that signs in at Shopify and comes back to `returnTo`, or else to this page. */
  signInUrl(returnTo?: string): string;
  /** `continueAt`, if there is one, ends Shopify's session too: lead the browser there within five minutes. */
  signOut(waiting?: Waiting): Promise<{ continueAt?: string }>;
  /** The rewards, ways to earn and tiers, the same for everybody. */
  program(waiting?: Waiting): Promise<Program>;
  /** The words to be agreed to, which stand on the button and right beside it. */
  policies(waiting?: Waiting): Promise<LegalPolicies>;
  /** The member, with the parts that are asked for, each as `data` or `error`. */
  me(include?: readonly Include[], waiting?: Waiting): Promise<MemberAndParts>;
  /**
   * The rewards, each with whether the member can redeem it, and, with `cartId` or the `cart` of the options, whether its
   * coupon would count in that cart (`fitsCart`).
   */
  rewards(how?: Waiting & { cartId?: string }): Promise<Rewards>;
  /** Agrees to these words, which the shopper saw and clicked on. `policies_outdated` brings new ones: show them, ask again. */
  join(policies: Pick<LegalPolicies, "version" | "digest">, waiting?: Waiting): Promise<Member>;
  /**
   * Spends points, once for an intent: a second click and a call after a reload go on with the first one until there is a
   * final answer. Resolves with what came of it: `succeeded`, `failed`, or, after a minute, `unknown`. `cartId`, or the
   * `cart` of the options, puts the code into a cart. A server gives the intent's own `key`, which stands in its form.
   */
  redeem(rewardId: string, how?: Waiting & { cartId?: string; key?: string }): Promise<Redemption>;
  /** What came of a redemption. */
  redemption(key: string, waiting?: Waiting): Promise<Redemption>;
  coupons(waiting?: Waiting): Promise<Wallet>;
  /** Puts a code into a cart, beside the codes that are in there. */
  applyCoupon(code: string, cartId?: string, waiting?: Waiting): Promise<CartResult>;
  /** Completes a way to earn. */
  earn(id: string, waiting?: Waiting): Promise<Completion>;
  setBirthday(birthday: { day: number; month: number }, waiting?: Waiting): Promise<Member>;
  /** Invites a friend. The answer never says whether they are a customer already. */
  refer(email: string, waiting?: Waiting): Promise<void>;
  referrals(page?: Waiting & { cursor?: string }): Promise<Referrals>;
  activity(page?: Waiting & { cursor?: string; limit?: number }): Promise<Activity>;
  retailers(waiting?: Waiting): Promise<Retailers>;
  /** Calls `listener` at each such event of this page; returns what ends that. */
  on<E extends EventName>(event: E, listener: (detail: Events[E]) => void): () => void;
}

// Seconds before each look at a redemption whose outcome is not known.
const LOOKS = [1, 2, 3, 5, 8, 13, 21];
// A request that is on its way may not be known yet at the first looks.
const ARRIVES_BY = 3;
const OPEN: Redemption["state"][] = ["working", "unknown"];
// After these, points may have been spent.
const MAY_BE_DONE: Code[] = ["unreachable", "internal_error", "upstream_timeout", "request_in_progress"];

type Query = Record<string, string | number | undefined>;

const pathOf = (path: string, query: Query): string => {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) given.set(name, `${value}`);
  return given.size ? `${path}?${given}` : path;
};

export function createLoyalty(options: Options): Loyalty {
  const { locale, country, currency, cart } = options;
  const words = { locale, country, currency };
  const base = options.baseUrl.replace(/\/+$/, "");
  const { share, forgetReads } = createFlights();
  const intents = createIntents();
  const listeners: { [E in EventName]?: Set<unknown> } = {};
  const sessions = createSessions(createTransport(base, options), options, ({ state }) => {
    forgetReads();
    emit("signed_in", { state });
  });

  function emit<E extends EventName>(event: E, detail: Events[E]): void {
    const mine = [...(listeners[event] ?? [])] as ((detail: Events[E]) => void)[];
    for (const listener of [...mine, (told: Events[E]) => options.analytics?.(event, told)]) {
      try {
        listener(detail);
      } catch (error) {
        // Whoever listens badly shall not make it look as if nothing had been done.
        globalThis.reportError?.(error);
      }
    }
  }

  const ask = <T>(method: Call["method"], path: string, waiting?: Waiting, body?: unknown, headers?: Call["headers"]): Promise<T> =>
    share(method + path + JSON.stringify([body, headers]), async (signal) => {
      try {
        return (await sessions.send<T>({ method, path, body, headers }, signal)).data;
      } finally {
        if (method !== "GET") forgetReads();
      }
    }, waiting?.signal);
  const get = <T>(path: string, waiting?: Waiting, query: Query = {}): Promise<T> => ask("GET", pathOf(path, query), waiting);
  const post = <T>(path: string, body: unknown, waiting?: Waiting): Promise<T> => ask("POST", path, waiting, body);
  const cartOr = async (cartId?: string): Promise<string | undefined> =>
    (cartId ?? (typeof cart === "function" ? await cart() : cart)) || undefined;
  const redemption = (key: string, waiting?: Waiting): Promise<Redemption> =>
    get(`/me/redemptions/${encodeURIComponent(key)}`, waiting);

  /** Waits until it is known what came of it, or for a minute. `known` is absent while nobody has told of it at all. */
  async function settled(key: string, signal: AbortSignal, known?: Redemption, failure?: unknown): Promise<Redemption> {
    for (const [look, seconds] of LOOKS.entries()) {
      if (known && !OPEN.includes(known.state)) break;
      await pause(seconds, signal);
      try {
        known = await redemption(key, { signal });
      } catch (error) {
        signal.throwIfAborted();
        if (!known && look + 1 >= ARRIVES_BY) throw failure;
        if ((error as LoyaltyError).status === 401) throw error;
      }
    }
    return known!;
  }

  async function spend(rewardId: string, key: string, cartId: string | undefined, signal: AbortSignal): Promise<Redemption> {
    let known: Redemption | undefined, failure: unknown;
    try {
      known = await ask("POST", "/me/redemptions", { signal }, { rewardId, cartId }, { "Idempotency-Key": key });
    } catch (error) {
      const { code, isFinal } = error as LoyaltyError;
      if (isFinal) intents.end(rewardId);
      if (!MAY_BE_DONE.includes(code)) throw error;
      failure = error;
    }
    known = await settled(key, signal, known, failure);
    const { state, points, coupon, cart: tried } = known;
    if (OPEN.includes(state)) return known;
    intents.end(rewardId);
    if (state === "succeeded") emit("redeemed", { rewardId, points });
    if (tried) applied(tried);
    // Its answer was lost, or came before there was a code. Whether it can be applied changes nothing of the rest.
    else if (coupon && cartId) known.cart = await apply(coupon.code, cartId, { signal }).catch(() => undefined);
    return known;
  }

  function applied(done: CartResult): CartResult {
    if (done.result === "applied") emit("coupon_applied", { result: done.result });
    return done;
  }

  const apply = async (code: string, cartId: string | undefined, waiting?: Waiting): Promise<CartResult> =>
    applied(await post(`/me/coupons/${encodeURIComponent(code)}/cart`, { cartId }, waiting));

  // A page that was left and comes back as it was: what it waited for then is not what it wants to know now.
  globalThis.addEventListener?.("pageshow", (event) => (event as PageTransitionEvent).persisted && forgetReads());

  return {
    async session(waiting) {
      const found = await get<SessionState>("/session", waiting);
      return found.state === "anonymous" && (await sessions.renew()) ? get("/session", waiting) : found;
    },
    signIn: (token, waiting) => share(`in ${JSON.stringify(token)}`, (signal) => sessions.begin(token, signal), waiting?.signal),
    signInUrl: (returnTo = location.href) => pathOf(`${base}/login`, { return_to: returnTo }),
    signOut: (waiting) => share("out", async (signal) => {
      const ended = await sessions.end(signal).finally(forgetReads);
      emit("signed_out", {});
      return ended;
    }, waiting?.signal),
    program: (waiting) => get("/program", waiting, words),
    policies: (waiting) => get("/legal-policies", waiting, words),
    me: (include, waiting) => get("/me", waiting, { include: include?.join(), ...words }),
    // The cart's key is a secret, and the rest of its id is enough to look.
    rewards: async ({ cartId, signal } = {}) =>
      get("/me/rewards", { signal }, { cartId: (await cartOr(cartId))?.split("?")[0], ...words }),
    async join({ version, digest }, waiting) {
      const agreed = { policiesVersion: version, policiesDigest: digest };
      const member = await post<Member>(pathOf("/me/enrolment", words), agreed, waiting);
      emit("joined", { state: member.state });
      return member;
    },
    redeem: (rewardId, { cartId, key, signal } = {}) =>
      share(`redeem ${rewardId} ${key}`, async (all) =>
        spend(rewardId, key ?? intents.keyOf(rewardId), await cartOr(cartId), all), signal),
    redemption,
    coupons: (waiting) => get("/me/coupons", waiting),
    applyCoupon: async (code, cartId, waiting) => apply(code, await cartOr(cartId), waiting),
    async earn(id, waiting) {
      const done = await post<Completion>(`/me/earning-rules/${encodeURIComponent(id)}/completions`, {}, waiting);
      const { kind, points } = done.result;
      emit("earned", { id, kind, points });
      return done;
    },
    setBirthday: (birthday, waiting) => ask("PUT", "/me/birthday", waiting, birthday),
    async refer(email, waiting) {
      await post("/me/referrals", { email }, waiting);
      emit("referred", {});
    },
    referrals: ({ signal, ...page } = {}) => get("/me/referrals", { signal }, page),
    activity: ({ signal, ...page } = {}) => get("/me/activity", { signal }, page),
    retailers: (waiting) => get("/me/retailers", waiting),
    on(event, listener) {
      const those = (listeners[event] ??= new Set<unknown>());
      those.add(listener);
      return () => those.delete(listener);
    },
  };
}
