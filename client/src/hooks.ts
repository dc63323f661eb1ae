// React hooks, thin over the client: what they read is read again when something has changed, or when the page comes back.
import {
  createContext, createElement, useCallback, useContext, useEffect, useState, type FunctionComponentElement, type ProviderProps,
  type ReactNode,
} from "react";
import type {
  Completion, CartResult, EventName, Include, LegalPolicies, Loyalty, LoyaltyError, Member, MemberAndParts, Program, Redemption,
  Reward, SessionState, Wallet,
} from "@loyalty/client";

const Context = createContext<Loyalty | null>(null);
const CHANGES: EventName[] = ["signed_in", "signed_out", "joined", "redeemed", "coupon_applied", "earned", "referred"];

/** Gives the client to all that is inside. Make it once, outside of your components. */
export function LoyaltyProvider(props: {
  client: Loyalty;
  children?: ReactNode;
}): FunctionComponentElement<ProviderProps<Loyalty | null>> {
  return createElement(Context.Provider, { value: props.client }, props.children);
}

export function useLoyalty(): Loyalty {
  const client = useContext(Context);
  if (!client) throw new Error("useLoyalty needs a LoyaltyProvider around it.");
  return client;
}

export interface Reading<T> {
  /** The latest that is known; while it is read anew, what was known before. */
  data?: T;
  error?: LoyaltyError;
  loading: boolean;
  reload(): void;
}

/** `initial` is what your server has read: then nothing is asked until something changes. What it reads later comes as another
 * `initial`, and is taken over. */
function useReading<T>(name: string, read: (client: Loyalty, signal: AbortSignal) => Promise<T>, initial?: T): Reading<T> {
  const client = useLoyalty();
  const [turn, setTurn] = useState(0);
  const [known, setKnown] = useState<Omit<Reading<T>, "reload">>({ data: initial, loading: initial === undefined });
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const isKnown = initial !== undefined && turn === 0;
  const told = JSON.stringify(initial);
  const [heard, setHeard] = useState(told);
  if (told !== heard) {
    setHeard(told);
    setKnown({ data: initial, loading: initial === undefined });
  }

  useEffect(() => {
    if (isKnown) return;
    const leaving = new AbortController();
    setKnown(({ data }) => ({ data, loading: true }));
    read(client, leaving.signal).then(
      (data) => { if (!leaving.signal.aborted) setKnown({ data, loading: false }); },
      (error: LoyaltyError) => {
        if (leaving.signal.aborted) return;
        // What was known of somebody who has signed out is not shown to the next one.
        setKnown(({ data }) => ({ data: error.status === 401 ? undefined : data, error, loading: false }));
      },
    );
    return () => leaving.abort();
    // `name` says all that makes a difference to what is read.
  }, [client, name, turn, isKnown]);

  useEffect(() => {
    const back = (event: PageTransitionEvent): void => { if (event.persisted) reload(); };
    const ends = CHANGES.map((change) => client.on(change, reload));
    addEventListener("pageshow", back);
    return () => {
      for (const end of ends) end();
      removeEventListener("pageshow", back);
    };
  }, [client, reload]);

  return { ...known, reload };
}

export const useSession = (initial?: SessionState): Reading<SessionState> =>
  useReading("session", (client, signal) => client.session({ signal }), initial);

export const useProgram = (initial?: Program): Reading<Program> =>
  useReading("program", (client, signal) => client.program({ signal }), initial);

export const useMember = (include: readonly Include[] = [], initial?: MemberAndParts): Reading<MemberAndParts> =>
  useReading(`me ${include.join()}`, (client, signal) => client.me(include, { signal }), initial);

export const useCoupons = (initial?: Wallet): Reading<Wallet> =>
  useReading("coupons", (client, signal) => client.coupons({ signal }), initial);

/**
 * The member's rewards, each with whether it can be redeemed, and with a cart whether its coupon would count there; for
 * strangers those that everybody sees.
 */
export const useRewards = (initial?: Reward[], cartId?: string): Reading<Reward[]> =>
  useReading(`rewards ${cartId}`, async (client, signal) => {
    const { state } = await client.session({ signal });
    const { rewards } = await (state === "anonymous" ? client.program({ signal }) : client.rewards({ cartId, signal }));
    return rewards;
  }, initial);

export interface Action<Given extends unknown[], T> {
  /** Does it. Never rejects: what went wrong is in `error`, and `undefined` comes back. */
  run(...given: Given): Promise<T | undefined>;
  data?: T;
  error?: LoyaltyError;
  busy: boolean;
  /** Whether the latest one worked. */
  done: boolean;
}

const NOTHING = { busy: false, done: false };

function useAction<Given extends unknown[], T>(act: (client: Loyalty, ...given: Given) => Promise<T>): Action<Given, T> {
  const client = useLoyalty();
  const [known, setKnown] = useState<Omit<Action<Given, T>, "run">>(NOTHING);
  useEffect(() => client.on("signed_out", () => setKnown(NOTHING)), [client]);
  const run = useCallback(async (...given: Given) => {
    setKnown({ ...NOTHING, busy: true });
    try {
      const data = await act(client, ...given);
      setKnown({ data, busy: false, done: true });
      return data;
    } catch (error) {
      setKnown({ ...NOTHING, error: error as LoyaltyError });
      return undefined;
    }
    // Every `act` is the same function in all but its name.
  }, [client]);
  return { ...known, run };
}

/** `run(rewardId, { cartId })` spends points, once for an intent. Ask the shopper first. */
export const useRedeem = (): Action<[rewardId: string, how?: { cartId?: string }], Redemption> =>
  useAction((client, rewardId, how) => client.redeem(rewardId, how));

export const useApplyCoupon = (): Action<[code: string, cartId?: string], CartResult> =>
  useAction((client, code, cartId) => client.applyCoupon(code, cartId));

export const useEarn = (): Action<[id: string], Completion> => useAction((client, id) => client.earn(id));

export const useRefer = (): Action<[email: string], void> => useAction((client, email) => client.refer(email));

export interface Joining extends Action<[], Member> {
  /** The words to show: `buttonText` on the button, `sentenceHtml` beside it. */
  policies?: LegalPolicies;
}

/** `run` agrees to the words in `policies`. When they have changed, the new ones are in there: show them, and ask again. */
export function useJoin(initial?: LegalPolicies): Joining {
  const { data } = useReading("policies", (client, signal) => client.policies({ signal }), initial);
  const [changed, setChanged] = useState<LegalPolicies>();
  const joining = useAction((client, shown: LegalPolicies) =>
    client.join(shown).catch((error: LoyaltyError) => {
      setChanged(error.problem?.legalPolicies ?? shown);
      throw error;
    }));
  // They stay while they are agreed to.
  const policies = changed ?? data;
  return { ...joining, policies, run: async () => policies && joining.run(policies) };
}
