export type { Activity, CartResult, Coupon, EarningRule, Member, MemberAndParts, Money, Program, Redemption, Referrals,
Retailers, Reward, Tier, TierProgress, Transaction, ProblemDetails as Problem } from "./generated";
