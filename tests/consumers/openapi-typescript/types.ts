import type { components } from "./generated";

type Schemas = components["schemas"];
export type Activity = Schemas["Activity"];
export type CartResult = Schemas["CartResult"];
export type Coupon = Schemas["Coupon"];
export type EarningRule = Schemas["EarningRule"];
export type Member = Schemas["Member"];
export type MemberAndParts = Schemas["MemberAndParts"];
export type Money = Schemas["Money"];
export type Program = Schemas["Program"];
export type Redemption = Schemas["Redemption"];
export type Referrals = Schemas["Referrals"];
export type Retailers = Schemas["Retailers"];
export type Reward = Schemas["Reward"];
export type Tier = Schemas["Tier"];
export type TierProgress = Schemas["TierProgress"];
export type Transaction = Schemas["Transaction"];
export type Problem = Schemas["ProblemDetails"];
