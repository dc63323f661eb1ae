// The API's own words, generated from docs/openapi.json, under names of their own.
import type { components } from "./openapi";

type Schemas = components["schemas"];
export type Activity = Schemas["Activity"];
export type CartResult = Schemas["CartResult"];
export type Completion = Schemas["Completion"];
export type Coupon = Schemas["Coupon"];
export type HandIn = Schemas["HandIn"];
export type LegalPolicies = Schemas["LegalPolicies"];
export type Member = Schemas["Member"];
export type MemberAndParts = Schemas["MemberAndParts"];
export type Money = Schemas["Money"];
export type Problem = Schemas["ProblemDetails"];
export type Program = Schemas["Program"];
export type Redemption = Schemas["Redemption"];
export type Referrals = Schemas["Referrals"];
export type Retailers = Schemas["Retailers"];
export type Reward = Schemas["Reward"];
export type Rewards = Schemas["Rewards"];
export type SessionHandle = Schemas["SessionHandle"];
export type SessionState = Schemas["SessionState"];
export type Tier = Schemas["Tier"];
export type TierProgress = Schemas["TierProgress"];
export type Wallet = Schemas["Wallet"];

/** What `me` can bring besides the member. */
export type Include = "rewards" | "earningRules" | "tierProgress" | "coupons";

/** A Customer Account API token as text, or what the API takes: best `{ ticket }`. */
export type Token = string | HandIn;

/** What happened, and what is told of it: no name, no address, no code and no token. */
export interface Events {
  signed_in: { state: SessionState["state"] };
  signed_out: Record<string, never>;
  joined: { state: Member["state"] };
  redeemed: { rewardId: string; points: number };
  coupon_applied: { result: CartResult["result"] };
  earned: { id: string; kind: Completion["result"]["kind"]; points?: number };
  referred: Record<string, never>;
}
export type EventName = keyof Events;
