// Every operation once, as a storefront calls it.
import * as api from "./generated";
import { client } from "./generated/client.gen";
import * as read from "./reads";

client.setConfig({ baseUrl: "https://loyalty.example.com", credentials: "include", auth: () => "1" });

export async function program(): Promise<string[]> {
  const { data: all } = await api.getProgram({ query: { locale: "en", currency: "USD" } });
  const { data: ways } = await api.listEarningRules();
  const { data: offers } = await api.listRewards();
  const { data: ranks } = await api.listTiers();
  const { data: questions } = await api.listFaqs();
  const rewards = offers?.rewards ?? all?.rewards ?? [];
  return [
    ...rewards.map(read.worth), ...rewards.map(read.price), ...(ways?.earningRules ?? []).map(read.gain),
    read.ladder({}, ranks?.tiers ?? []), ...(questions?.faqs ?? []).map((one) => one.question + one.answerHtml),
  ];
}

export async function session(token: string): Promise<string> {
  const { data: now } = await api.getSession();
  if (now?.state !== "anonymous") await api.endSession();
  const { data: ticket } = await api.createSessionTicket({ body: { customerAccessToken: token } });
  await api.createSessionHandle({ body: { customerAccessToken: token } });
  const { data, error } = await api.createSession({ body: { customerAccessToken: token } });
  await api.endSessions();
  return error ? String(read.mayRetry(error)) : `${data.state} ${ticket?.ticket ?? ""}`;
}

export async function member(): Promise<unknown> {
  const query = { include: ["rewards", "earningRules", "tierProgress", "coupons"] } satisfies api.GetMemberData["query"];
  const { data: me } = await api.getMember({ query });
  const { data: policies } = await api.getLegalPolicies();
  if (me?.state === "pending" && policies) {
    const body = { policiesVersion: policies.version, policiesDigest: policies.digest };
    const { error } = await api.joinProgram({ body });
    if (error && "legalPolicies" in error) return error.legalPolicies?.buttonText;
  }
  const { data: born } = await api.setBirthday({ body: { day: 29, month: 2 } });
  const { data: progress } = await api.getTierProgress();
  return [me && read.standing(me), born?.birthday?.day, progress && read.ladder(progress, [])];
}

export async function earn(): Promise<string> {
  const { data: ways } = await api.listMyEarningRules();
  const id = ways?.earningRules.find((rule) => !rule.completed)?.id ?? "";
  const { data } = await api.completeEarningRule({ path: { id } });
  return data?.result.coupon?.code ?? `${data?.result.points ?? 0} of ${data?.member.points.balance ?? 0}`;
}

export async function spend(key: string): Promise<unknown> {
  const cartId = "gid://shopify/Cart/hWN2Jx0qK4";
  const { data: offers } = await api.listMyRewards({ query: { cartId } });
  const ready = offers?.rewards.find((reward) => read.gap(reward) === "");
  if (ready === undefined) return undefined;
  const { data: done } = await api.redeemReward({ headers: { "Idempotency-Key": key }, body: { rewardId: ready.id } });
  const body = { cartId: `${cartId}?key=3f1d9b7a5c` };
  const { data: cart } = await api.applyCoupon({ path: { code: done?.coupon?.code ?? "" }, body });
  const { data: later } = await api.getRedemption({ path: { key } });
  const { data: coupons } = await api.listCoupons();
  const { data: activity } = await api.listActivity({ query: { limit: 10 } });
  const found = done ?? later;
  const fits = [offers?.cart?.state, read.fit(ready), cart && read.inCart(cart), done?.cart && read.inCart(done.cart)];
  return [fits, found && read.outcome(found), coupons && read.wallet(coupons.coupons), activity && read.history(activity)];
}

export async function others(): Promise<unknown> {
  await api.inviteFriend({ body: { email: "friend@example.com" } });
  const { data: referrals } = await api.listReferrals({ query: {} });
  const { data: retailers } = await api.listRetailers();
  const { data: link } = await api.linkRetailer({ body: {} });
  await api.unlinkRetailer({ path: { id: retailers?.retailers[0]?.id ?? "" } });
  return [referrals && read.friends(referrals), retailers && read.elsewhere(retailers), link?.linkUrl];
}
