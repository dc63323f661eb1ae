// What a storefront does with answers, against types that a generator made: `types.ts` beside it says which these are.
import type {
  Activity, CartResult, Coupon, EarningRule, Member, MemberAndParts, Money, Problem, Program, Redemption, Referrals,
  Retailers, Reward, Tier, TierProgress, Transaction,
} from "./types";

// The names of fields that may be null. A field that is left out is undefined and not null, which crashes elsewhere.
type Nullable<T> = { [K in keyof T]-?: null extends T[K] ? K : never }[keyof T];
type None<T extends never> = T;
export type NothingIsNull = [
  None<Nullable<CartResult>>, None<Nullable<Coupon>>, None<Nullable<EarningRule>>, None<Nullable<Member>>, None<Nullable<Money>>,
  None<Nullable<Redemption>>, None<Nullable<Reward>>, None<Nullable<Tier>>, None<Nullable<TierProgress>>,
  None<Nullable<Transaction>>, None<Nullable<Retailers>>, None<Nullable<Program>>, None<Nullable<Problem>>,
];

const shown = (money: Money): string =>
  new Intl.NumberFormat("en", { style: "currency", currency: money.currencyCode }).format(Number(money.amount));

export function worth(reward: Reward): string {
  const value = reward.value;
  if (value === undefined) return reward.description ?? reward.name;
  if (value.kind === "percentage" && value.percentage !== undefined) return `${value.percentage.toFixed(0)} %`;
  return value.amount ? shown(value.amount) : value.product ?? value.kind;
}

export function price(reward: Reward): string {
  // @ts-expect-error A price that is not known is absent, so that it cannot be counted with.
  const sum: number = reward.points + 1;
  return reward.points === undefined ? "?" : `${reward.points} of ${sum}`;
}

export function gap(reward: Reward): string {
  switch (reward.canRedeem?.state) {
    case "insufficient_points": return `${reward.canRedeem.missingPoints ?? 0} to go`;
    case "tier_required": return reward.canRedeem.requiredTier ?? "another tier";
    default: return reward.minimumSpend ? shown(reward.minimumSpend) : "";
  }
}

export function fit(reward: Reward): string {
  if (reward.fitsCart === undefined || reward.fitsCart.fits) return "";
  return reward.fitsCart.missing ? `${shown(reward.fitsCart.missing)} missing` : reward.fitsCart.reason ?? "";
}

export function inCart(cart: CartResult): string {
  switch (cart.reason) {
    case undefined: return cart.result;
    case "minimum_spend": return cart.missing ? `${shown(cart.missing)} missing` : "too little";
    default: return [cart.reason, ...(cart.displaced ?? [])].join();
  }
}

export function gain(rule: EarningRule): string {
  const gives = rule.gives;
  if (gives?.kind === "points_per_spend") return gives.spend ? `${gives.points ?? 0} for ${shown(gives.spend)}` : "points";
  if (gives?.kind === "store_credit") return gives.storeCredit ? shown(gives.storeCredit) : "store credit";
  return gives?.value?.amount ? shown(gives.value.amount) : `${rule.points ?? ""}${rule.completed ? " done" : ""}`;
}

export function standing(member: MemberAndParts): string[] {
  // @ts-expect-error Who has not joined is in no tier.
  const letters: number = member.tier.length;
  const tier: string | undefined = member.tier;
  const ends: string | undefined = member.points.expiresAt ?? member.tierExpiresAt;
  const parts = [member.rewards, member.earningRules, member.tierProgress, member.coupons];
  const failed = parts.map((part) => part?.error?.code ?? "");
  const codes = member.coupons?.data?.map((coupon) => coupon.code) ?? [];
  return [`${member.points.balance + (member.points.pending ?? 0)} ${letters}`, tier ?? "", ends ?? "", ...failed, ...codes];
}

export function ladder(progress: TierProgress, tiers: Tier[]): string {
  const next = progress.nextTier;
  const perks = tiers.flatMap((tier) => tier.perks.map((perk) => `${perk.name}: ${perk.description ?? ""}`));
  const colours = tiers.map((tier) => `${tier.id} ${tier.colour ?? "none"} ${(tier.multiplier ?? 1).toFixed(2)}`);
  return [next?.missingSpend ? shown(next.missingSpend) : "", progress.spend?.amount ?? "", ...perks, ...colours].join();
}

export function wallet(coupons: Coupon[]): string[] {
  return coupons
    .filter((coupon) => !coupon.used)
    .map((coupon) => `${coupon.code} ${coupon.applyUrl} ${coupon.expiresAt ?? ""} ${coupon.rewardId ?? ""}`);
}

export function outcome(redemption: Redemption): string {
  if (redemption.state === "unknown") return redemption.supportReference ?? redemption.key;
  return redemption.coupon?.code ?? (redemption.storeCredit ? shown(redemption.storeCredit) : redemption.reason ?? "");
}

export function history(activity: Activity): string | null {
  const lines = activity.activity.map((line) => `${line.createdAt ?? ""} ${line.points ?? 0} ${line.status ?? ""}`);
  return lines.length ? activity.next : null;
}

export function friends(referrals: Referrals): string {
  return `${referrals.count ?? referrals.referrals.length} ${referrals.url ?? ""} ${referrals.referrals[0]?.createdAt ?? ""}`;
}

export function elsewhere(retailers: Retailers): string[] {
  return retailers.awards.map((award) => `${award.createdAt} ${award.spend ? shown(award.spend) : ""}`);
}

export const mayRetry = (problem: Problem): boolean => problem.retryable && problem.code !== "session_required";
