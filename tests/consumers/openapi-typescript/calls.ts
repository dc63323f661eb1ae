// Every operation once, as a storefront calls it.
import createClient from "openapi-fetch";
import type { paths } from "./generated";
import * as read from "./reads";

const headers = { "X-Loyalty-Csrf": "1" };
const loyalty = createClient<paths>({ baseUrl: "https://loyalty.example.com", credentials: "include", headers });

export async function program(): Promise<string[]> {
  const { data: all } = await loyalty.GET("/api/v1/program", { params: { query: { locale: "en", currency: "USD" } } });
  const { data: ways } = await loyalty.GET("/api/v1/earning-rules");
  const { data: offers } = await loyalty.GET("/api/v1/rewards");
  const { data: ranks } = await loyalty.GET("/api/v1/tiers");
  const { data: questions } = await loyalty.GET("/api/v1/faqs");
  const rewards = offers?.rewards ?? all?.rewards ?? [];
  return [
    ...rewards.map(read.worth), ...rewards.map(read.price), ...(ways?.earningRules ?? []).map(read.gain),
    read.ladder({}, ranks?.tiers ?? []), ...(questions?.faqs ?? []).map((one) => one.question + one.answerHtml),
  ];
}

export async function session(token: string): Promise<string> {
  const { data: now } = await loyalty.GET("/api/v1/session");
  if (now?.state !== "anonymous") await loyalty.DELETE("/api/v1/session");
  const { data: ticket } = await loyalty.POST("/api/v1/session-tickets", { body: { customerAccessToken: token } });
  await loyalty.POST("/api/v1/session-handles", { body: { customerAccessToken: token } });
  const { data, error } = await loyalty.POST("/api/v1/session", { body: { customerAccessToken: token } });
  await loyalty.DELETE("/api/v1/me/sessions");
  return error ? String(read.mayRetry(error)) : `${data.state} ${ticket?.ticket ?? ""}`;
}

export async function member(): Promise<unknown> {
  const include = ["rewards", "earningRules", "tierProgress", "coupons"] as const;
  const { data: me } = await loyalty.GET("/api/v1/me", { params: { query: { include: [...include] } } });
  const { data: policies } = await loyalty.GET("/api/v1/legal-policies");
  if (me?.state === "pending" && policies) {
    const body = { policiesVersion: policies.version, policiesDigest: policies.digest };
    const { error } = await loyalty.POST("/api/v1/me/enrolment", { body });
    if (error && "legalPolicies" in error) return error.legalPolicies?.buttonText;
  }
  const { data: born } = await loyalty.PUT("/api/v1/me/birthday", { body: { day: 29, month: 2 } });
  const { data: progress } = await loyalty.GET("/api/v1/me/tier-progress");
  return [me && read.standing(me), born?.birthday?.day, progress && read.ladder(progress, [])];
}

export async function earn(): Promise<string> {
  const { data: ways } = await loyalty.GET("/api/v1/me/earning-rules");
  const id = ways?.earningRules.find((rule) => !rule.completed)?.id ?? "";
  const { data } = await loyalty.POST("/api/v1/me/earning-rules/{id}/completions", { params: { path: { id } } });
  return data?.result.coupon?.code ?? `${data?.result.points ?? 0} of ${data?.member.points.balance ?? 0}`;
}

export async function spend(key: string): Promise<unknown> {
  const cartId = "gid://shopify/Cart/hWN2Jx0qK4";
  const { data: offers } = await loyalty.GET("/api/v1/me/rewards", { params: { query: { cartId } } });
  const ready = offers?.rewards.find((reward) => read.gap(reward) === "");
  if (ready === undefined) return undefined;
  const header = { "Idempotency-Key": key };
  const { data: done } = await loyalty.POST("/api/v1/me/redemptions", { params: { header }, body: { rewardId: ready.id } });
  const path = { code: done?.coupon?.code ?? "" };
  const body = { cartId: `${cartId}?key=3f1d9b7a5c` };
  const { data: cart } = await loyalty.POST("/api/v1/me/coupons/{code}/cart", { params: { path }, body });
  const { data: later } = await loyalty.GET("/api/v1/me/redemptions/{key}", { params: { path: { key } } });
  const { data: coupons } = await loyalty.GET("/api/v1/me/coupons");
  const { data: activity } = await loyalty.GET("/api/v1/me/activity", { params: { query: { limit: 10 } } });
  const found = done ?? later;
  const fits = [offers?.cart?.state, read.fit(ready), cart && read.inCart(cart), done?.cart && read.inCart(done.cart)];
  return [fits, found && read.outcome(found), coupons && read.wallet(coupons.coupons), activity && read.history(activity)];
}

export async function others(): Promise<unknown> {
  await loyalty.POST("/api/v1/me/referrals", { body: { email: "friend@example.com" } });
  const { data: referrals } = await loyalty.GET("/api/v1/me/referrals", { params: { query: {} } });
  const { data: retailers } = await loyalty.GET("/api/v1/me/retailers");
  const { data: link } = await loyalty.POST("/api/v1/me/retailers", { body: {} });
  const id = retailers?.retailers[0]?.id ?? "";
  await loyalty.DELETE("/api/v1/me/retailers/{id}", { params: { path: { id } } });
  return [referrals && read.friends(referrals), retailers && read.elsewhere(retailers), link?.linkUrl];
}
