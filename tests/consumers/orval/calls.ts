// Every operation once, as a storefront calls it.
import * as api from "./generated";
import * as read from "./reads";

const write = { credentials: "include", headers: { "X-Loyalty-Csrf": "1" } } satisfies RequestInit;

export async function program(): Promise<string[]> {
  const all = await api.getProgram({ locale: "en", currency: "USD" });
  const ways = await api.listEarningRules();
  const offers = await api.listRewards();
  const ranks = await api.listTiers();
  const questions = await api.listFaqs();
  const rewards = offers.status === 200 ? offers.data.rewards : all.status === 200 ? all.data.rewards : [];
  return [
    ...rewards.map(read.worth), ...rewards.map(read.price),
    ...(ways.status === 200 ? ways.data.earningRules.map(read.gain) : []),
    ...(ranks.status === 200 ? [read.ladder({}, ranks.data.tiers)] : []),
    ...(questions.status === 200 ? questions.data.faqs.map((one) => one.question + one.answerHtml) : []),
  ];
}

export async function session(token: string): Promise<string> {
  const now = await api.getSession();
  if (now.status === 200 && now.data.state !== "anonymous") await api.endSession(write);
  const ticket = await api.createSessionTicket({ customerAccessToken: token });
  await api.createSessionHandle({ customerAccessToken: token });
  const begun = await api.createSession({ customerAccessToken: token }, write);
  await api.endSessions(write);
  if (begun.status !== 201) return String(read.mayRetry(begun.data));
  return `${begun.data.state} ${ticket.status === 201 ? ticket.data.ticket : ""}`;
}

export async function member(): Promise<unknown> {
  const me = await api.getMember({ include: ["rewards", "earningRules", "tierProgress", "coupons"] });
  const policies = await api.getLegalPolicies();
  if (me.status === 200 && me.data.state === "pending" && policies.status === 200) {
    const { version, digest } = policies.data;
    const joined = await api.joinProgram({ policiesVersion: version, policiesDigest: digest }, { locale: "en" }, write);
    if (joined.status === 409) return joined.data.legalPolicies?.buttonText;
  }
  const born = await api.setBirthday({ day: 29, month: 2 }, write);
  const progress = await api.getTierProgress();
  return [
    me.status === 200 && read.standing(me.data), born.status === 200 && born.data.birthday?.day,
    progress.status === 200 && read.ladder(progress.data, []),
  ];
}

export async function earn(): Promise<string> {
  const ways = await api.listMyEarningRules();
  const rules = ways.status === 200 ? ways.data.earningRules : [];
  const done = await api.completeEarningRule(rules.find((rule) => !rule.completed)?.id ?? "", {}, write);
  if (done.status !== 201) return done.data.detail;
  return done.data.result.coupon?.code ?? `${done.data.result.points ?? 0} of ${done.data.member.points.balance}`;
}

export async function spend(key: string): Promise<unknown> {
  const cartId = "gid://shopify/Cart/hWN2Jx0qK4";
  const offers = await api.listMyRewards({ cartId });
  const ready = offers.status === 200 ? offers.data.rewards.find((reward) => read.gap(reward) === "") : undefined;
  if (ready === undefined) return undefined;
  const headers = { ...write.headers, "Idempotency-Key": key };
  const done = await api.redeemReward({ rewardId: ready.id }, { ...write, headers });
  const given = done.status === 201 || done.status === 202 ? done.data : undefined;
  const cart = await api.applyCoupon(given?.coupon?.code ?? "", { cartId: `${cartId}?key=3f1d9b7a5c` }, write);
  const later = await api.getRedemption(key);
  const coupons = await api.listCoupons();
  const activity = await api.listActivity({ limit: 10 });
  return [
    read.fit(ready), cart.status === 200 && read.inCart(cart.data), given?.cart && read.inCart(given.cart),
    given && read.outcome(given),
    later.status === 200 && read.outcome(later.data), coupons.status === 200 && read.wallet(coupons.data.coupons),
    activity.status === 200 && read.history(activity.data),
  ];
}

export async function others(): Promise<unknown> {
  await api.inviteFriend({ email: "friend@example.com" }, write);
  const referrals = await api.listReferrals();
  const retailers = await api.listRetailers();
  const link = await api.linkRetailer({}, write);
  if (retailers.status === 200) await api.unlinkRetailer(retailers.data.retailers[0]?.id ?? "", write);
  return [
    referrals.status === 200 && read.friends(referrals.data),
    retailers.status === 200 && read.elsewhere(retailers.data), link.status === 201 && link.data.linkUrl,
  ];
}
