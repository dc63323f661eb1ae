// Every method once, as a storefront calls it.
import { createLoyalty, LoyaltyError, type CartResult, type Loyalty, type Money, type Redemption } from "@loyalty/client";
import { createLoyalty as onServer } from "@loyalty/client/server";

const loyalty: Loyalty = createLoyalty({
  baseUrl: "https://loyalty.example.com",
  getToken: async () => ({ ticket: "a-ticket" }),
  locale: "fr",
  country: "FR",
  currency: "EUR",
  cart: () => "gid://shopify/Cart/1?key=2",
  analytics: (event, detail) => console.log(event, detail),
});

export async function everything(signal: AbortSignal): Promise<unknown[]> {
  const { state, expiresAt } = await loyalty.session({ signal });
  await loyalty.signIn("shcat_token");
  await loyalty.signIn({ ticket: "a-ticket" });
  const address: string = loyalty.signInUrl("/account");
  const { rewards } = await loyalty.program();
  const me = await loyalty.me(["rewards", "coupons"], { signal });
  const left: number = me.points.balance;
  const { rewards: mine, cart: read } = await loyalty.rewards({ cartId: "gid://shopify/Cart/1?key=2", signal });
  const fits: boolean | undefined = mine[0]?.fitsCart?.fits;
  const words = await loyalty.policies();
  const member = await loyalty.join(words);
  const redemption: Redemption = await loyalty.redeem(rewards[0]?.id ?? "", { cartId: "gid://shopify/Cart/1", signal });
  const again = await loyalty.redemption(redemption.key);
  const cart: CartResult = await loyalty.applyCoupon(redemption.coupon?.code ?? "", "gid://shopify/Cart/1");
  const missing: Money | undefined = cart.missing;
  const { result } = await loyalty.earn("a-rule");
  await loyalty.setBirthday({ day: 29, month: 2 });
  await loyalty.refer("friend@example.com");
  const off = loyalty.on("redeemed", ({ rewardId, points }) => console.log(rewardId.length + points));
  off();
  const { continueAt } = await loyalty.signOut();
  return [
    state, expiresAt, address, left, fits, read?.state, member.state, again.state, missing?.amount, result.kind, continueAt,
    await loyalty.coupons(), await loyalty.referrals({ cursor: "c" }), await loyalty.activity({ limit: 5 }), await loyalty.retailers(),
  ];
}

export function said(error: unknown): string {
  if (!(error instanceof LoyaltyError)) return "";
  if (error.code === "policies_outdated") return error.problem?.legalPolicies?.buttonText ?? "";
  return error.retryable ? `${error.retryAfter ?? 1}` : error.code === "unreachable" ? "" : error.message;
}

export const rendering = (handle: string, cookie: string): Loyalty[] => [
  onServer({ baseUrl: "https://loyalty.example.com", server: { token: "secret", load: () => handle, save: async () => {} } }),
  onServer({ baseUrl: "https://shop.example.com/loyalty", cookies: { get: () => cookie, set: (line) => console.log(line) } }),
];
